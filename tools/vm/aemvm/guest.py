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

from . import HOST, PANIC, Failure, tsc
from .image import bootable
from .verdict import sign_of

BOOT_LIMIT = 20             # seconds of the emulator's processor time to reach /init
STAGE_LIMIT = 30            # the same, to load a module, unload, power off, look for leaks
PATIENCE = 5                # times these, by the clock, on a busy machine
GRACE = 8                   # seconds that the guest may take to tell of its own timeout
OUTPUT_LIMIT = 256 << 20    # bytes of a serial port
STALL = 21                  # seconds for RCU, as kernels have it; a pass over timers takes long
                            # where each takes milliseconds
PORTS = ("console", "verdict", "stdout", "stderr")
PR_SET_PDEATHSIG = 1
# no_timer_check: on a busy machine the emulated timer is late, and the kernel would give it up.
# cryptomgr.notests: what the kernel tests of its own is two fifths of all it does to boot.
COMMAND_LINE = ("console=ttyS0 quiet panic=-1 oops=panic panic_on_warn=1 printk.devkmsg=on "
                "no_timer_check cryptomgr.notests")
# Processors that emulate in step with the host's have its time stamps; to ask the HPET instead,
# which kernels do that trust nobody, is a tenth of all that a guest does.
CLOCK = "tsc=reliable"


class Follower:
    """Copies what is appended to a file to a descriptor."""

    def __init__(self, path, fd):
        self.file, self.fd = open(path, "rb"), fd

    def copy(self):
        data = self.file.read()
        while data:
            data = data[os.write(self.fd, data):]


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Guest:
    def __init__(self, folder, options, kernel, steps):
        self.folder, self.options, self.kernel, self.steps = folder, options, kernel, steps
        self.process = None

    def path(self, port):
        return os.path.join(self.folder, port)

    def _processors(self):
        if self.options.icount:
            return ["-accel", "tcg", "-icount", "shift=0,sleep=off", "-smp", "1"]
        if self.options.kvm:
            return ["-accel", "kvm", "-smp", str(self.options.smp)]
        return ["-accel", "tcg,thread=multi", "-smp", str(self.options.smp)]

    def _model(self):
        """Without the copying instruction that is emulated byte by byte; where instructions
        are counted, with all that processors have."""
        if self.options.kvm:
            return "host"
        return "max" if self.options.icount else "max,-erms"

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
        line = " ".join([COMMAND_LINE, f"rcupdate.rcu_cpu_stall_timeout={self._stall()}",
                         *self._clock(), *self.options.append])
        return [qemu, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
                "-M", "q35", "-cpu", self._model(),
                "-m", str(self.options.mem), "-bios", "qboot.rom", *self._processors(),
                "-d", "cpu_reset", "-D", self.path("resets"),
                "-kernel", bootable(self.kernel),
                "-initrd", self.path("initramfs"), "-append", line, *self._ports(),
                *shlex.split(os.environ.get("AEM_VM_QEMU", ""))]

    def _clock(self):
        if self.options.icount:
            return []
        khz = None if self.options.kvm else tsc.khz()
        return [CLOCK, *([f"tsc_early_khz={khz}"] if khz else [])]

    def _stall(self):
        return min(STALL * self.options.factor, 300)

    def start(self):
        self.overdue = False
        self.heard = []             # when each of the guest's words came
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

    def text(self, port):
        with open(self.path(port), encoding="utf-8", errors="replace", newline="") as f:
            return f.read()

    def console(self):
        return [line.rstrip() for line in self.text("console").split("\n")]

    def _processor_time(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="utf-8") as f:
            user, system = f.read().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def _by_processor(self, limit, spent):
        """Seconds for what takes so many of a processor, of which some were spent before."""
        limit *= self.options.factor
        return 0 if self._processor_time() - spent > limit else limit * PATIENCE

    def _limit(self, words, spent):
        """Seconds that what the guest is doing now may take, or None."""
        if not words:
            return self._by_processor(BOOT_LIMIT, 0)
        if words[-1] != "stage command":
            return self._by_processor(STAGE_LIMIT, spent)
        number = int([word for word in words if word.startswith("step ")][-1].split()[1])
        timeout = self.steps[number - 1].timeout
        return timeout + GRACE if timeout else None

    def follow(self):
        """Copies the command's output until the guest ends, or ends it when it is overdue."""
        live = [] if self.options.batch else [("stdout", 1), ("stderr", 2)]
        followers = [Follower(self.path(port), fd) for port, fd in live]
        begin = since = time.monotonic()
        words, spent, told, running = [], 0, False, True
        while running:
            running = self.process.poll() is None
            now = time.monotonic()
            said = self.words()
            if len(said) > len(words):
                news = said[len(words):]
                self.heard += [now] * len(news)
                words, since, spent = said, now, self._processor_time() if running else 0
                if "end" in news and self._complained():
                    self.stop()
                    running = False
            if not told and not words and now > begin + 10:
                told = True
                print(f"aem-vm: still booting kernel {self.options.kernel}", file=sys.stderr)
            limit = self._limit(words, spent) if running else None
            if limit is not None and now > since + limit:
                self.overdue = True
                self.stop()
            for follower in followers:
                follower.copy()
            if any(os.path.getsize(self.path(port)) > OUTPUT_LIMIT for port in PORTS):
                self.stop()
                raise Failure(HOST, "the command's output never ends")
            if running:
                time.sleep(0.03)

    def _complained(self):
        return any(sign_of(line) for line in self.console())

    def never_began(self):
        """The machine did not even reach /init: nothing of ours ran. Kernels that patch themselves
        while another processor runs crash under this emulator, once in hundreds of boots; and
        6.1 with PROVE_RCU can wait for ever in its own test of RCU-tasks."""
        if self.words():
            return False
        return self.overdue or any(sign_of(line) == PANIC for line in self.console())

    def seconds(self, first, count):
        """How long it took from one of the words on."""
        last = min(first + count, len(self.heard) - 1)
        return self.heard[last] - self.heard[first] if self.heard else 0

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def how_it_ended(self):
        """Of a machine that is off, and its guest did not say why."""
        with open(self.path("resets"), encoding="utf-8", errors="replace") as f:
            if "Triple fault" in f.read():
                return "a triple fault of the processor"
        return f"the emulator's exit status was {self.process.returncode}"

    def complaint(self):
        """What the emulator said if it did not even start."""
        with open(self.path("qemu"), encoding="utf-8", errors="replace") as f:
            text = f.read().strip()
        return text if self.process.returncode not in (0, None) and not self.overdue else ""
