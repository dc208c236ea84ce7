# SPDX-License-Identifier: GPL-2.0
"""A program of selftests/fuzz, as text, and what can be left out of it."""

import re

STATEMENT = re.compile(r"\d+ t\d .*")
PLAIN = "good+0"


class Statement:
    """NUMBER tTHREAD [xREPEAT] [fail=N] [queued] CALL [on=VALUE] [at=VALUE] FIELD=VALUE..."""

    def __init__(self, line):
        words = line.split()
        self.number, self.thread = words[0], words[1]
        self.repeat = self.fail = self.queued = None
        rest = words[2:]
        while rest:
            word = rest.pop(0)
            if re.fullmatch(r"x\d+", word):
                self.repeat = word
            elif word.startswith("fail="):
                self.fail = word
            elif word == "queued":
                self.queued = word
            else:
                self.call = word
                break
        self.fields = [tuple(word.split("=", 1)) for word in rest]

    def __str__(self):
        words = [self.number, self.thread, self.repeat, self.fail, self.queued, self.call]
        words += [f"{name}={value}" for name, value in self.fields]
        return " ".join(word for word in words if word)

    def edits(self):
        """What could be simpler: keys for edited()."""
        found = [("thread",)] if self.thread != "t0" else []
        found += [(name,) for name in ("repeat", "fail", "queued") if getattr(self, name)]
        for name, value in self.fields:
            if name == "at" and value != PLAIN:
                found.append(("at",))
            elif name not in ("at", "on", "size"):
                found.append(("zero", name))
        return found

    def edited(self, edits):
        statement = Statement(str(self))
        for edit in edits:
            if edit[0] == "thread":
                statement.thread = "t0"
            elif edit[0] == "at":
                statement.fields = [(n, PLAIN if n == "at" else v) for n, v in statement.fields]
            elif edit[0] == "zero":
                statement.fields = [(n, v) for n, v in statement.fields if n != edit[1]]
            else:
                setattr(statement, edit[0], None)
        return statement


class Program:
    """Statements in their order."""

    def __init__(self, lines):
        self.statements = [Statement(line) for line in lines]

    def __str__(self):
        return "".join(f"{statement}\n" for statement in self.statements)

    def __len__(self):
        return len(self.statements)

    def drops(self):
        """An edit for each statement, to leave it out."""
        return [(statement.number, "drop") for statement in self.statements]

    def edits(self, values):
        """Edits that make statements simpler: their values, or all else."""
        return [(statement.number,) + edit for statement in self.statements
                for edit in statement.edits() if (edit[0] == "zero") == values]

    def edited(self, edits):
        program = Program([])
        for statement in self.statements:
            mine = [edit[1:] for edit in edits if edit[0] == statement.number]
            if ("drop",) not in mine:
                program.statements.append(statement.edited(mine))
        return program


def programs_in(lines):
    """All programs of a log or of a file, in their order: what follows a line "program N"."""
    found, current = [], None
    for line in lines:
        line = re.sub(r"^\[ *\d+\.\d+\](\[[^]]*\])? ?", "", line.strip())
        if re.match(r"(fuzz: )?program \d+", line):
            current = []
            found.append(current)
        elif current is not None and STATEMENT.fullmatch(line):
            current.append(line)
    return [Program(lines) for lines in found if lines]


def text_of(programs):
    return "".join(f"program {number}\n{program}" for number, program in enumerate(programs))
