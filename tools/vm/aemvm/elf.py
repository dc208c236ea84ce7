# SPDX-License-Identifier: GPL-2.0
"""What must be known of an ELF file to take it along."""

import os
import struct
import subprocess

from . import HOST, Failure

PT_DYNAMIC, PT_INTERP = 2, 3
LOADERS = {32: "/lib/ld-linux.so.2", 64: "/lib64/ld-linux-x86-64.so.2"}


def is_elf(path):
    with open(path, "rb") as f:
        return f.read(4) == b"\x7fELF"


class Elf:
    """An ELF file of either class, little endian."""

    def __init__(self, path):
        self.path = path
        with open(path, "rb") as f:
            self.data = f.read()
        self.bits = 64 if self.data[4] == 2 else 32

    def _header(self):
        """(phoff, phentsize, phnum, shoff, shentsize, shnum, shstrndx)"""
        if self.bits == 64:
            phoff, shoff = struct.unpack_from("<QQ", self.data, 32)
            rest = struct.unpack_from("<6H", self.data, 52)
        else:
            phoff, shoff = struct.unpack_from("<II", self.data, 28)
            rest = struct.unpack_from("<6H", self.data, 40)
        return phoff, rest[1], rest[2], shoff, rest[3], rest[4], rest[5]

    def segments(self):
        """Each program header as (type, contents)."""
        phoff, size, count = self._header()[:3]
        form, order = ("<IIQQQQ", (0, 2, 5)) if self.bits == 64 else ("<IIIII", (0, 1, 4))
        for i in range(count):
            header = struct.unpack_from(form, self.data, phoff + i * size)
            kind, start, length = (header[n] for n in order)
            yield kind, self.data[start:start + length]

    def section(self, name):
        """The contents of the section of that name, empty if there is none."""
        shoff, size, count, names_index = self._header()[3:]
        form = "<IIQQQQ" if self.bits == 64 else "<IIIIII"
        headers = [struct.unpack_from(form, self.data, shoff + i * size) for i in range(count)]
        if not headers:
            return b""
        names = headers[names_index][4]
        for header in headers:
            start = names + header[0]
            if self.data[start:self.data.index(b"\0", start)] == name.encode():
                return self.data[header[4]:header[4] + header[5]]
        return b""

    def interpreter(self):
        for kind, contents in self.segments():
            if kind == PT_INTERP:
                return contents.rstrip(b"\0").decode()
        return None

    def libraries(self):
        """The paths of all that the dynamic loader would load, itself included."""
        if not any(kind == PT_DYNAMIC for kind, _ in self.segments()):
            return []
        loader = self.interpreter() or LOADERS[self.bits]
        if not os.path.exists(loader):
            raise Failure(HOST, f"{self.path} needs {loader}, which is not on this machine")
        return [loader] + self._list(loader)

    def _list(self, loader):
        run = subprocess.run([loader, "--list", os.path.abspath(self.path)],
                             capture_output=True, text=True, check=False)
        if run.returncode:
            raise Failure(HOST, f"{self.path} lacks a library on this machine: "
                                f"{run.stderr.strip()}")
        targets = [line.rpartition("=> ")[2].split(" (0x")[0].strip()
                   for line in run.stdout.splitlines()]
        return [target for target in targets if target.startswith("/")]
