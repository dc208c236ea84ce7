# SPDX-License-Identifier: GPL-2.0
"""A running guest: the emulator, and the files that its serial ports write."""

import ctypes
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time

from . import HOST, Failure

BOOT_LIMIT = 120            # seconds to reach /init, on a busy machine and a debug kernel
END_LIMIT = 30              # seconds to look for leaks, unload and power off
GRACE = 8                   # seconds that the guest may take to tell of its own timeout
OUTPUT_LIMIT = 256 << 20    # bytes of a serial port
PORTS = ("console", "verdict", "stdout", "stderr")
PR_SET_PDEATHSIG = 1
# no_timer_check: on a busy machine the emulated timer is late, and the kernel would give it up.
COMMAND_LINE = ("console=ttyS0 quiet panic=-1 oops=panic panic_on_warn=1 printk.devkmsg=on "
                "no_timer_check")


class Follower:
    """Copies what is appended to a file to a descriptor."""

    def __init__(self, path, fd):
        self.file, self.fd, self.count = open(path, "rb"), fd, 0

    def copy(self):
        data = self.file.read()
        self.count += len(data)
        while data:
            data = data[os.write(self.fd, data):]
        return self.count


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Guest:
    def __init__(self, folder, options, kernel):
        self.folder, self.options, self.kernel = folder, options, kernel
        self.process = None
        self.overdue = False
        self.ended = None           # when the command had ended

    def path(self, port):
        return os.path.join(self.folder, port)

    def _processors(self):
        if self.options.icount:
            return ["-accel", "tcg", "-icount", "shift=0,sleep=off", "-smp", "1"]
        if self.options.kvm:
            return ["-accel", "kvm", "-smp", str(self.options.smp)]
        return ["-accel", "tcg,thread=multi", "-smp", str(self.options.smp)]

    def _ports(self):
        arguments = []
        for port in PORTS:
            terminal = port == "stdout" and self.options.interactive
            arguments += ["-chardev", f"stdio,id={port},signal=off" if terminal else
                          f"file,id={port},path={self.path(port)}", "-serial", f"chardev:{port}"]
        return arguments

    def _command(self):
        qemu = shutil.which("qemu-system-x86_64")
        if not qemu:
            raise Failure(HOST, "there is no qemu-system-x86_64: apt-get install qemu-system-x86")
        line = " ".join([COMMAND_LINE] + self.options.append)
        return [qemu, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
                "-M", "q35", "-cpu", "host" if self.options.kvm else "max",
                "-m", str(self.options.mem), "-bios", "qboot.rom", *self._processors(),
                "-kernel", os.path.join(self.kernel, "vmlinuz"),
                "-initrd", self.path("initramfs"), "-append", line, *self._ports(),
                *shlex.split(os.environ.get("AEM_VM_QEMU", ""))]

    def start(self):
        for port in PORTS:
            with open(self.path(port), "wb"):
                pass
        terminal = None if self.options.interactive else subprocess.DEVNULL
        log = open(self.path("qemu"), "wb")
        self.process = subprocess.Popen(
            self._command(), stdin=terminal, stderr=log, preexec_fn=die_with_parent,
            stdout=None if self.options.interactive else log)

    def words(self):
        """The complete lines that the guest wrote to its second serial port."""
        with open(self.path("verdict"), encoding="utf-8", errors="replace") as f:
            return [line.rstrip("\r\n") for line in f if line.endswith("\n")]

    def console(self):
        with open(self.path("console"), encoding="utf-8", errors="replace") as f:
            return [line.rstrip() for line in f]

    def _deadline(self, booted):
        if booted is None:
            return self.begin + BOOT_LIMIT * self.options.factor
        if self.ended:
            return self.ended + END_LIMIT * self.options.factor
        return booted + self.options.timeout + GRACE if self.options.timeout else None

    def follow(self):
        """Copies the command's output until the guest ends, or ends it when it is overdue."""
        self.begin, booted, told = time.monotonic(), None, False
        followers = [Follower(self.path(port), fd) for port, fd in (("stdout", 1), ("stderr", 2))]
        running = True
        while running:
            running = self.process.poll() is None
            now = time.monotonic()
            if booted is None and self.words():
                booted = now
            if not told and booted is None and now > self.begin + 10:
                told = True
                print(f"aem-vm: still booting kernel {self.options.kernel}", file=sys.stderr)
            if not self.ended and any(word.startswith("status ") for word in self.words()):
                self.ended = now
            deadline = self._deadline(booted)
            if running and deadline and now > deadline:
                self.overdue = True
                self.stop()
            if max(follower.copy() for follower in followers) > OUTPUT_LIMIT:
                self.stop()
                raise Failure(HOST, "the command's output never ends")
            if running:
                time.sleep(0.03)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def complaint(self):
        """What the emulator said if it did not even start."""
        with open(self.path("qemu"), encoding="utf-8", errors="replace") as f:
            text = f.read().strip()
        return text if self.process.returncode not in (0, None) and not self.overdue else ""
