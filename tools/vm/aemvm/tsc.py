# SPDX-License-Identifier: GPL-2.0
"""How fast this machine's time stamp counter runs, which an emulated processor's is as well.

A guest that did not run while its kernel measured that has a clock that is many times too fast or
too slow; so it is told."""

import ctypes
import mmap
import platform
import time

RDTSC = b"\x0f\x31" b"\x48\xc1\xe2\x20" b"\x48\x09\xd0" b"\xc3"    # rdtsc; rax |= rdx << 32; ret
MEASURED_FOR = 0.02         # seconds
TRIES = 5


def counter():
    """A function that reads it."""
    code = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(RDTSC)
    read = ctypes.CFUNCTYPE(ctypes.c_uint64)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
    read.code = code
    return read


def moment(read):
    """(uncertainty, nanoseconds, ticks): the one of a few at which we were interrupted least."""
    moments = []
    for _ in range(TRIES):
        before, ticks, after = time.monotonic_ns(), read(), time.monotonic_ns()
        moments.append((after - before, before, ticks))
    return min(moments)


def khz():
    """Thousands of ticks in a second; None on machines that have no such counter, or run no code
    that is data."""
    if platform.machine() not in ("x86_64", "AMD64"):
        return None
    try:
        read = counter()
    except OSError:
        return None
    _, begin, first = moment(read)
    time.sleep(MEASURED_FOR)
    _, end, last = moment(read)
    return round((last - first) * 1_000_000 / (end - begin))
