# SPDX-License-Identifier: GPL-2.0
"""The parts of aem-vm, a file for each noun."""


class Failure(Exception):
    """The run cannot go on; says why in a sentence, and carries the exit status."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


# What aem-vm exits with where it is not the status of CMD itself. A CMD's own statuses are 0 to
# 127, and 128 + N where signal N ended it; these lie above both.
HOST = 240      # wrong usage, or the guest could not be prepared: nothing ran
SETUP = 241     # the guest could not be set up: a module did not load
TIMEOUT = 242   # CMD, or the boot before it, took too long
PANIC = 243     # the kernel died: panic, oops, BUG
SPLAT = 244     # the kernel complained: WARNING, lockdep, KASAN, UBSAN, refcount, kmemleak
HANG = 245      # the kernel found itself stuck: lockup, hung task, RCU stall
LOST = 246      # the guest ended without a verdict
BUSY = 247      # --unload: a module did not unload after CMD
