# SPDX-License-Identifier: GPL-2.0
"""What came of a step: from the guest's own words, its console, and how it ended."""

import re

from . import BUSY, HANG, LOST, PANIC, SETUP, SPLAT, TIMEOUT

# The first that matches a line of the console is what the line says.
SIGNS = [(status, re.compile(pattern)) for status, pattern in (
    (HANG, r"soft lockup|hard LOCKUP|blocked for more than|rcu:.*(stall|starved)"),
    (PANIC, r"BUG: (kernel NULL|unable to handle|stack guard|scheduling while atomic)"),
    (PANIC, r"kernel BUG at|\bOops\b|general protection fault, |invalid opcode: "),
    (PANIC, r"unable to handle|double fault:|Internal error:"),
    (SPLAT, r"BUG: |WARNING: |UBSAN: |KASAN: |KFENCE: |KCSAN: |ODEBUG: |kmemleak: (leaks|the)"),
    (SPLAT, r"refcount_t: |unregister_netdevice: waiting|list_(add|del) corruption"),
    (SPLAT, r"possible .*(locking dependency|recursive locking|irq lock inversion)"),
    (SPLAT, r"inconsistent lock state|suspicious RCU usage|Objects remaining in"),
    (PANIC, r"Kernel panic - not syncing"),
    (SPLAT, r"Call Trace:"),
    (SPLAT, r"(^|\] )\s*not ok \d+ \S"),                    # KUnit
)]
WORDS = {PANIC: "the kernel crashed", SPLAT: "the kernel complained", HANG: "the kernel hung"}


MARK = re.compile(r"aem-vm: step (\d+)$")


def split_console(lines, count):
    """The console's lines of each step; what comes before the first belongs to it."""
    steps, number = [[] for _ in range(count)], 1
    for line in lines:
        mark = MARK.search(line)
        if mark:
            number = min(int(mark.group(1)), count)
        else:
            steps[number - 1].append(line)
    return steps


def split_words(words):
    """The guest's words of each step that began; at least one."""
    steps = [[]]
    for word in words:
        if word.startswith("step ") and any(w.startswith("step ") for w in steps[-1]):
            steps.append([])
        steps[-1].append(word)
    return steps


def sign_of(line):
    for status, pattern in SIGNS:
        if pattern.search(line):
            return status
    return None


class Verdict:
    """status is what aem-vm exits with, text the sentence if CMD's status does not say it all."""

    def __init__(self, words, console, overdue):
        """words: the lines of the second serial port; overdue: the host ended the guest."""
        self.words = [line.partition(" ")[::2] for line in words]
        self.console = console
        self.status, self.text = self._judge(overdue)

    def _said(self, key):
        """The first thing that the guest said under that key, or None."""
        return next((rest for word, rest in self.words if word == key), None)

    def stage(self):
        return next((rest for word, rest in reversed(self.words) if word == "stage"), "power-on")

    def _splat(self):
        """The first sign of trouble in the kernel's log, as (status, line)."""
        lines = list(self.console) + [rest for word, rest in self.words if word == "splat"]
        for line in lines:
            status = sign_of(line)
            if status:
                return status, line.strip()
        return None

    def _judge(self, overdue):
        where = self.stage()
        if self._said("timeout") is not None or overdue:
            return TIMEOUT, f"timeout: the guest was still at: {where}"
        splat = self._splat()
        if splat:
            return splat[0], f"{WORDS[splat[0]]} at: {where}: {splat[1]}"
        if self._said("failed") is not None:
            return SETUP, self._said("failed")
        if self._said("end") is None or self._said("status") is None:
            return LOST, f"the guest ended without a verdict at: {where}"
        if self._said("busy") is not None:
            return BUSY, self._said("busy")
        return int(self._said("status")), None
