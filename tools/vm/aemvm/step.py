# SPDX-License-Identifier: GPL-2.0
"""What a guest does, step by step: load modules, run a command, unload."""

import json
import shutil

from . import HOST, Failure

MARK = "\x1e"
KEYS = {"command": list, "environment": dict, "load": str, "timeout": int, "user": str,
        "unload": bool}


def split(text):
    return [word for word in text.split(",") if word]


class Step:
    """One command, with its modules, its user and its time."""

    def __init__(self, number, command, options, **own):
        self.name = f"{number:03}"
        self.command = command
        self.environment = own.get("environment", {})
        self.names = own.get("load", options.load)
        self.user = own.get("user", options.user)
        self.unload = own.get("unload", options.unload)
        self.timeout = own.get("timeout", options.timeout) * options.factor
        self.stock = options.modules
        self.load = {}
        size = shutil.get_terminal_size()
        self.settings = {
            "user": self.user, "mark": int(bool(options.batch)),
            "interactive": int(options.interactive), "rows": size.lines, "columns": size.columns,
            # The guest's clock runs freely under --icount: only the host can tell the time.
            "seconds": 0 if options.icount else self.timeout,
        }

    def choose_modules(self, modules):
        """The modules to load, without what they need, and their parameters."""
        names = split(self.stock)
        if self.names is None:
            names += [module.name for module in modules.services()]
        else:
            names += [name for name in split(self.names) if name != "none"]
        for name in names:
            name, *parameters = name.split(":")
            self.load[modules.find(name)] = " ".join(parameters)
        self.load.pop(None, None)


def read_batch(options):
    """The steps of a batch: a JSON list of objects with the keys above."""
    with open(options.batch, encoding="utf-8") as f:
        batch = json.load(f)
    for item in batch:
        for key, value in item.items():
            if key not in KEYS or not isinstance(value, KEYS[key]):
                raise Failure(HOST, f"{options.batch}: {key} is unknown or of the wrong type")
    return [Step(number, item.pop("command"), options, **item)
            for number, item in enumerate(batch, 1)]


def parts(text, count):
    """What a port said in each step."""
    said = [""] * count
    for part in text.split(MARK)[1:]:
        number, _, rest = part.partition("\n")
        if number.strip().isdigit() and 0 < int(number) <= count:
            said[int(number) - 1] += rest
    return said
