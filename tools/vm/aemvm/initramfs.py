# SPDX-License-Identifier: GPL-2.0
"""What a guest finds in its root file system."""

import os
import shlex
import shutil
import subprocess

from . import HOST, Failure
from .cpio import Archive
from .elf import Elf, is_elf
from .modules import contents

HERE = os.path.dirname(os.path.abspath(__file__))
HOME = "/aem"               # where relative paths of the host are found again
VM = f"{HOME}/vm"           # what /init knows
SYSTEM = ("/usr/lib", "/lib", "/usr/lib32", "/lib32", "/lib64", "/usr/lib64")

PASSWD = """\
root:x:0:0:root:/root:/bin/sh
alice:x:1000:1000:in group aem:/home/alice:/bin/sh
mallory:x:1001:1001:not in group aem:/home/mallory:/bin/sh
nobody:x:65534:65534:nobody:/:/bin/sh
"""
GROUP = """\
root:x:0:
tty:x:5:
aem:x:900:alice
alice:x:1000:
mallory:x:1001:
nogroup:x:65534:
"""
FSTAB = """\
proc /proc proc
sysfs /sys sysfs
devpts /dev/pts devpts gid=5,mode=620,ptmxmode=666
tmpfs /dev/shm tmpfs mode=1777
cgroup2 /sys/fs/cgroup cgroup2
debugfs /sys/kernel/debug debugfs
tracefs /sys/kernel/tracing tracefs
"""


def place_of(source):
    """Where a file of the host lands in the guest if nothing else is said."""
    if os.path.isabs(source):
        return source
    path = os.path.normpath(source)
    return os.path.join(HOME, os.path.basename(path) if path.startswith("..") else path)


class Initramfs:
    def __init__(self):
        self.archive = Archive()
        self._base()

    def _base(self):
        a = self.archive
        busybox = shutil.which("busybox", path="/usr/bin:/bin")
        if not busybox or Elf(busybox).libraries():
            raise Failure(HOST, "there is no static busybox: apt-get install busybox-static")
        a.file("/usr/bin/busybox", busybox)
        names = subprocess.run([busybox, "--list-full"], capture_output=True, text=True, check=True)
        for name in names.stdout.split():
            if not a.has(name):
                a.link(name, "/usr/bin/busybox")
        a.device("/dev/console", 5, 1)
        for path in ("/proc", "/sys", "/mnt", "/run", "/var", HOME, "/etc", "/root"):
            a.directory(path)
        a.directory("/tmp", 0o1777)
        a.directory("/home/alice", 0o700, 1000, 1000)
        a.directory("/home/mallory", 0o700, 1001, 1001)
        a.link("/var/tmp", "/tmp")
        a.link("/var/run", "/run")
        a.text("/etc/passwd", PASSWD)
        a.text("/etc/group", GROUP)
        a.text("/etc/shells", "/bin/sh\n")
        a.text("/etc/hosts", "127.0.0.1 localhost aem\n::1 localhost\n")
        a.text("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n")
        a.text("/etc/fstab", FSTAB)
        self._devices()
        a.file("/init", os.path.join(HERE, "..", "init"))
        a.nodes["init"] = (0o100755,) + a.nodes["init"][1:]

    def _devices(self):
        """What /dev lacks: /init copies it there."""
        for name in ("pts", "shm"):
            self.archive.directory(f"{VM}/dev/{name}")
        for name, target in (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
            self.archive.link(f"{VM}/dev/{name}", f"/proc/self/{target}")

    def add(self, source, place=None):
        """A file or a directory of the host, with all that its programs need to run."""
        place = place or place_of(source)
        if os.path.isdir(source):
            self._add_directory(source, place)
        elif os.path.isfile(source):
            self._add_file(source, place)
        else:
            raise Failure(HOST, f"there is no file {source}")

    def _add_directory(self, source, place):
        self.archive.directory(place)
        for top, dirs, files in os.walk(source):
            there = os.path.normpath(os.path.join(place, os.path.relpath(top, source)))
            for name in dirs + files:
                path, target = os.path.join(top, name), os.path.join(there, name)
                if os.path.islink(path):
                    self.archive.link(target, os.readlink(path))
                elif os.path.isdir(path):
                    self.archive.directory(target)
                elif os.path.isfile(path):
                    self._add_file(path, target)

    def _add_file(self, source, place):
        if not os.access(source, os.R_OK):
            raise Failure(HOST, f"{source} cannot be read")
        self.archive.file(place, source)
        if is_elf(source) and not source.endswith(".ko"):
            self._add_libraries(source)
        elif os.access(source, os.X_OK):
            self._add_interpreter(source)

    def _add_libraries(self, source):
        for path in Elf(source).libraries():
            if not self.archive.has(path):
                self.archive.file(path, path)
            # A library of ours is found by its path on the host only if that was linked in.
            common = "/usr/lib/" + os.path.basename(path)
            if not path.startswith(SYSTEM) and not self.archive.has(common):
                self.archive.file(common, path)

    def _add_interpreter(self, source):
        with open(source, "rb") as f:
            line = f.readline(256)
        words = line[2:].decode(errors="replace").split() if line.startswith(b"#!") else []
        if not words:
            return
        if os.path.basename(words[0]) == "env" and len(words) > 1:
            words = [shutil.which(words[1]) or words[1]]
        if os.path.exists(words[0]) and not self.archive.has(words[0]):
            self._add_file(os.path.realpath(words[0]), words[0])

    def add_modules(self, modules, load):
        """All AEM modules, those to load, and what they need, for insmod and modprobe."""
        wanted = modules.with_dependencies(list(modules.own.values()) + list(load))
        depends, aliases = [], []
        for module in wanted:
            self.archive.data(modules.place(module), contents(module.path))
            needs = [m for m in reversed(modules.with_dependencies([module])) if m is not module]
            depends.append(self._base_of(modules, module) + ":" +
                           "".join(" " + self._base_of(modules, m) for m in needs))
            aliases += [f"alias {alias} {module.name}" for alias in module.info("alias")]
        folder = f"/lib/modules/{modules.release}"
        self.archive.text(f"{folder}/modules.dep", "".join(line + "\n" for line in depends))
        self.archive.text(f"{folder}/modules.alias", "".join(line + "\n" for line in aliases))
        self.archive.text(f"{folder}/modules.symbols", "")

    @staticmethod
    def _base_of(modules, module):
        return modules.place(module).split(f"{modules.release}/", 1)[1]

    def add_step(self, step, modules):
        """What /init does, and what it must know for it."""
        folder = f"{VM}/steps/{step.name}"
        order = modules.with_dependencies(step.load)
        self.archive.text(f"{folder}/load", "".join(
            f"{modules.place(module)} {step.load.get(module, '')}\n" for module in order))
        # Processes are dear: the shell that reads this becomes the command.
        self.archive.text(f"{folder}/command", "".join(
            f"export {key}={shlex.quote(value)}\n" for key, value in step.environment.items()) +
            f"exec $session {shlex.join(step.command)}\n")
        unload = [module.name for module in reversed(order)] if step.unload else []
        settings = dict(step.settings, unload=" ".join(unload))
        self.archive.text(f"{folder}/settings", "".join(
            f"{key}={shlex.quote(str(value))}\n" for key, value in settings.items()))

    def write(self, path):
        self.archive.write(path)
