# SPDX-License-Identifier: GPL-2.0
"""A guest that fuzzes or replays, and what came of it."""

import os
import re
import subprocess
import sys
import tempfile

from . import Trouble
from .program import programs_in, text_of

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__)))))
BLIND, FOUND = 8, 9         # of selftests/fuzz/main.c
BESIDE = 12                 # programs at a time; most of them wait
HOST, SETUP, TIMEOUT = 240, 241, 242
ICOUNT = 30                 # at most: seconds for one of a guest whose clock counts instructions
PATIENCE = 4                # see selftests/fuzz/main.c; on a kernel that is not slow
# The kernel tells its log once more when it panics: the programs are in there. A probe of the
# kernel's own stays on where aem-fd puts one on and off: this emulator can execute a breakpoint
# that the kernel has patched away by then, and takes it for that of the probe, which has none.
APPEND = "panic_print=32 log_buf_len=1M kprobe_event=p:held,notify_change"


def signature_of(sentence):
    """What two of the same kind have in common."""
    text = re.sub(r"\[ *\d+\.\d+\](\[[^]]*\])?", "", sentence)
    text = re.sub(r"\.(isra|constprop|part|cold)\b(\.\d+)?", "", text)
    text = re.sub(r"\+0x[0-9a-f]+/0x[0-9a-f]+|0x[0-9a-f]+|\b[0-9a-f]{8,16}\b", "", text)
    # A reference too few shows as whatever comes first.
    text = re.sub(r"\b(refcount_t):.*", r"\1", text)
    return " ".join(re.sub(r"\d+", "N", text).split())


def title_of(console):
    """What a trace is about: the line before the one that names processor and process, or None."""
    trace = next((i for i, line in enumerate(console) if "Call Trace" in line), 0)
    for i in range(trace, 0, -1):
        if re.search(r"\] CPU: \d+ PID: \d+", console[i]):
            return console[i - 1]
    return None


class Result:
    """What a guest said."""

    def __init__(self, status, out, err, console):
        self.status, self.out, self.err, self.console = status, out, err, console

        self.printed = re.findall(r"^fuzz: found: (.*)", out, re.M)

    def found(self):
        return bool(self.printed) or self.status == FOUND or self.status >= TIMEOUT

    def sentence(self):
        """What was found, in a sentence: what the fuzzer said, whatever came after it."""
        found = self.printed or [line for line in re.findall(
            r"aem-vm: (?:.* at: [a-z ]+: )?(.*)", self.err) if "still booting" not in line]
        sentence = found[0].strip() if found else f"status {self.status}"
        return title_of(self.console) or sentence if "Call Trace" in sentence else sentence

    def signature(self):
        return signature_of(self.sentence())

    def programs(self):
        """Those that ran last, as they are known; the very last one last."""
        return programs_in(self.out.splitlines() if self.printed else self.console)

    def counts(self):
        """Programs and calls, as they were last reported."""
        last = re.findall(r"^fuzz: \d+ s, (\d+) programs .*?, (\d+) calls", self.out, re.M)
        return tuple(int(number) for number in last[-1]) if last else (0, 0)


class Guests:
    """Starts guests, all alike."""

    def __init__(self, options):
        self.options = options
        self.patience = PATIENCE * self._factor()
        self.slow = ICOUNT if options.icount else 2
        self.program = os.path.join(options.build, "selftests/fuzz/fuzz")
        self.booted = 0

    def _factor(self):
        run = subprocess.run([os.path.join(ROOT, "tools/build/kernel"), "dir", self.options.kernel],
                             stdout=subprocess.PIPE, text=True, check=False)
        if run.returncode:
            raise Trouble(f"there is no kernel {self.options.kernel}")
        path = os.path.join(run.stdout.strip(), "factors")
        if not os.path.exists(path):
            return 1
        with open(path, encoding="utf-8") as f:
            return int(dict(line.split() for line in f).get("time", 1))

    def _command(self, arguments, files, seconds, console):
        words = [os.path.join(ROOT, "tools/vm/aem-vm"), "--kernel", self.options.kernel,
                 "--build", self.options.build,
                 *(["--icount"] if self.options.icount else ["--smp", str(self.options.smp)]),
                 "--mem", str(self.options.mem), "--load", self.options.load,
                 "--timeout", str(seconds), "--append", APPEND, "--console", console,
                 "--file", f"{self.program}:/aem/fuzz"]
        for path, name in files:
            words += ["--file", f"{path}:/aem/{name}"]
        return words + ["--unload", "--", "/aem/fuzz"] + [str(word) for word in arguments]

    def _start(self, arguments, files, seconds, follow):
        with tempfile.TemporaryDirectory(prefix="fuzz.") as folder:
            console, out = os.path.join(folder, "console"), []
            self.booted += 1
            with subprocess.Popen(self._command(arguments, files, seconds, console), cwd=ROOT,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True, errors="replace") as run:
                for line in run.stdout:
                    out.append(line)
                    if follow and re.match(r"fuzz: (seed|\d+ s,|call \S+ never|found)", line):
                        sys.stdout.write(line)
                        sys.stdout.flush()
                err = run.stderr.read()
            lines = []
            if os.path.exists(console):
                with open(console, encoding="utf-8", errors="replace") as f:
                    lines = f.read().splitlines()
        result = Result(run.returncode, "".join(out), err, lines)
        # Looking for leaks takes long where many others use the machine.
        late = result.status == TIMEOUT and "still at: command" not in result.err
        if not result.printed and (result.status in (HOST, SETUP, 2) or late):
            raise Trouble(f"no answer from the guest: {err.strip()}")
        return result

    def fuzz(self, seconds, seed, corpus):
        """Programs out of nothing, and out of a corpus if there is one."""
        arguments, files = ["run", seconds, seed, self.patience, self.options.beside or BESIDE], []
        if corpus and os.path.exists(corpus):
            arguments.append("/aem/corpus")
            files = [(corpus, "corpus")]
        return self._start(arguments, files, self.slow * seconds + 300, True)

    def replay(self, programs, times, beside=1):
        """Each so often, one after the other or several at a time, until something is found."""
        with tempfile.NamedTemporaryFile("w", prefix="fuzz.", encoding="utf-8") as file:
            file.write(text_of(programs))
            file.flush()
            seconds = 60 + self.slow * len(programs) * times
            return self._start(["replay", "/aem/programs", times, self.patience, beside],
                               [(file.name, "programs")], seconds, False)
