# SPDX-License-Identifier: GPL-2.0
"""An initramfs in the making: paths and what stands there, written as a newc archive."""

import os
import stat

# A guest has one /usr, as its host has: these are links.
MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")


class Archive:
    """Needs no root: owners and devices exist only in the archive."""

    def __init__(self):
        self.nodes = {}
        for name in MERGED:
            self.directory(f"/usr/{name}")
            self.nodes[name] = (stat.S_IFLNK | 0o777, 0, 0, f"usr/{name}".encode())

    @staticmethod
    def _place(path):
        path = os.path.normpath("/" + path).lstrip("/")
        return f"usr/{path}" if path.split("/")[0] in MERGED else path

    def _add(self, path, mode, data=b"", uid=0, gid=0, rdev=0):
        place = self._place(path)
        parent = os.path.dirname(place)
        if parent and parent not in self.nodes:
            self.directory(parent)
        self.nodes[place] = (mode, uid, gid, rdev if rdev else data)

    def directory(self, path, mode=0o755, uid=0, gid=0):
        if self._place(path):
            self._add(path, stat.S_IFDIR | mode, b"", uid, gid)

    def text(self, path, text, mode=0o644):
        self._add(path, stat.S_IFREG | mode, text.encode())

    def data(self, path, data, mode=0o644):
        self._add(path, stat.S_IFREG | mode, data)

    def link(self, path, target):
        self._add(path, stat.S_IFLNK | 0o777, target.encode())

    def device(self, path, major, minor, mode=0o600):
        self._add(path, stat.S_IFCHR | mode, rdev=(major, minor))

    def file(self, path, source):
        """The contents and permissions of a file of the host."""
        with open(source, "rb") as f:
            self.data(path, f.read(), stat.S_IMODE(os.stat(source).st_mode))

    def has(self, path):
        return self._place(path) in self.nodes

    def write(self, path):
        with open(path, "wb") as f:
            for number, name in enumerate(sorted(self.nodes), 1):
                f.write(self._record(number, name, *self.nodes[name]))
            f.write(self._record(0, "TRAILER!!!", 0, 0, 0, b""))

    @staticmethod
    def _record(number, name, mode, uid, gid, contents):
        major, minor = contents if isinstance(contents, tuple) else (0, 0)
        data = b"" if isinstance(contents, tuple) else contents
        links = 2 if stat.S_ISDIR(mode) else 1
        name = name.encode() + b"\0"
        fields = (number, mode, uid, gid, links, 0, len(data), 0, 0, major, minor, len(name), 0)
        head = b"070701" + b"".join(b"%08X" % field for field in fields) + name
        return b"".join((head, bytes(-len(head) % 4), data, bytes(-len(data) % 4)))
