# SPDX-License-Identifier: GPL-2.0
"""The parts of the fuzzer that run on the host, a file for each noun."""


class Trouble(Exception):
    """The fuzzer itself cannot go on; says why in a sentence."""
