# SPDX-License-Identifier: GPL-2.0
"""The kernel modules of a guest: AEM's own and the stock ones, and in which order they load."""

import lzma
import os
import subprocess

from . import HOST, Failure
from .elf import Elf


def canonical(name):
    return name.replace("-", "_")


def name_of(path):
    return canonical(os.path.basename(path).split(".ko")[0])


def contents(path):
    """A module's bytes, uncompressed."""
    if path.endswith(".xz"):
        with lzma.open(path) as f:
            return f.read()
    if path.endswith(".zst"):
        return subprocess.run(["zstd", "-dcq", path], capture_output=True, check=True).stdout
    with open(path, "rb") as f:
        return f.read()


class Module:
    """A module file, with what its .modinfo says."""

    def __init__(self, path, own):
        self.path, self.own, self.name = path, own, name_of(path)
        self._info = None

    def _read_info(self):
        if self.path.endswith(".ko"):
            elf = Elf(self.path)
        else:
            elf = Elf.__new__(Elf)
            elf.path, elf.data, elf.bits = self.path, contents(self.path), 64
        entries = [entry.decode(errors="replace").partition("=")
                   for entry in elf.section(".modinfo").split(b"\0") if entry]
        return [(key, value) for key, _, value in entries]

    def info(self, key):
        """All values of that key."""
        if self._info is None:
            self._info = self._read_info()
        return [value for k, value in self._info if k == key]

    def depends(self):
        return [canonical(name) for value in self.info("depends")
                for name in value.split(",") if name]


class Modules:
    """All modules that a guest of this kernel could load."""

    def __init__(self, kernel_dir, release, build):
        self.release, self.build = release, build
        self.stock_dir = os.path.join(kernel_dir, "lib/modules", release)
        self.own = {module.name: module for module in self._find_own()}
        self.stock = {module.name: module for module in self._find_stock()}

    def _find_own(self):
        place = os.path.join(self.build, "modules", self.release)
        order = os.path.join(place, "modules.order")
        if not os.path.exists(order):
            return
        with open(order, encoding="utf-8") as f:
            for line in f.read().split():
                # Absolute paths, of some kernels, are those of before the directory was copied.
                line = line.rpartition(f"/modules/{self.release}/")[2]
                path = os.path.join(place, os.path.splitext(line)[0] + ".ko")
                if os.path.exists(path):
                    yield Module(path, True)

    def _find_stock(self):
        for top, _, files in os.walk(os.path.join(self.stock_dir, "kernel")):
            for name in files:
                if ".ko" in name:
                    yield Module(os.path.join(top, name), False)

    def _builtin(self, name):
        with open(os.path.join(self.stock_dir, "modules.builtin"), encoding="utf-8") as f:
            return any(name_of(line) == name for line in f.read().split())

    def check(self):
        """Refuse what was built for another kernel: nothing else may notice it."""
        stock = next(iter(self.stock.values()), None)
        expected = stock.info("vermagic") if stock else None
        for module in self.own.values():
            magic = module.info("vermagic")
            # The release of a kernel without stock modules tells its configuration.
            if magic != expected if expected else magic[0].split()[0] != self.release:
                raise Failure(HOST, f"{module.path} was built for '{''.join(magic)}', and the "
                                    f"guest's kernel is '{''.join(expected or [self.release])}'")

    def find(self, name):
        """A module by its name, AEM's also without aem-; None if built into the kernel."""
        name = canonical(name)
        for key in (name, f"aem_{name}"):
            if key in self.own:
                return self.own[key]
        if name in self.stock:
            return self.stock[name]
        if self._builtin(name):
            return None
        raise Failure(HOST, f"there is no module '{name}' for {self.release}: neither in "
                            f"{self.build}/modules/{self.release} (make modules) nor a stock one")

    def services(self):
        """AEM's own modules in the order of their build, but those of the tests and those under
        versioned names."""
        return [module for module in self.own.values()
                if "/selftests/" not in module.path and "/versions/" not in module.path]

    def with_dependencies(self, modules):
        """The modules and all that they need, each after what it needs."""
        order = []

        def add(module):
            if module is None or module in order:
                return
            for name in module.depends():
                add(self.find(name))
            order.append(module)

        for module in modules:
            add(module)
        return order

    def place(self, module):
        """Where the module lies in the guest."""
        folder = "extra" if module.own else "kernel"
        base = os.path.basename(module.path).split(".ko")[0]
        return f"/lib/modules/{self.release}/{folder}/{base}.ko"
