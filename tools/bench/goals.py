# SPDX-License-Identifier: GPL-2.0
"""What AEM is to reach. A goal that is missed is told, and fails nothing: what fails is a figure
that was better before (gate.py).

    goals.py FOLDER    a table of what the benchmarks' JSON there says of the goals, and in the
                       folders in it that are named for a kernel
"""

import json
import os
import sys

# bench, params that a row must have, key, AEM's system, peers (the best of them counts), limit.
# No peers: the limit is the figure itself.
GOALS = (
    ("timer-arm", {}, "value", "aem", ("timerfd",), 0.5),
    ("timer-arm", {}, "value", "aem, batched", ("timerfd",), 0.3),
    ("timer-fire", {}, "value", "aem", ("timerfd",), 0.6),
    ("swap", {"events": 10000}, "value", "aem", (), 10000000),
    ("wake", {}, "value", "aem", ("eventfd + epoll",), 0.7),
    ("interrupt", {}, "value", "aem", ("RT signal",), 1.0),
    ("interrupt", {}, "value", "aem", ("RT signal",), 0.5),
    ("hint", {"what": "p99 to handler"}, "value", "aem, hint", ("aem",), 0.2),
    ("hint", {"what": "percent that a hog lacks"}, "value", "aem, hint", (), 20),
    ("fd", {}, "value", "aem", ("inotify",), 1.0),
    ("memory", {"object": "file"}, "value", "aem", ("inotify",), 1.0),
    ("pexit", {}, "value", "aem", ("pidfd + epoll + waitid",), 1.0),
    ("memory", {"object": "timer"}, "value", "aem", (), 208),
    ("memory", {"object": "socket"}, "value", "aem", (), 272),
    # 448 MB for two millions; for four, what a guest of 2 GiB has.
    ("capacity", {"timers": 2000000, "what": "bytes"}, "value", "aem", (), 224),
    ("capacity", {"timers": 4000000, "what": "bytes"}, "value", "aem", (), 512),
    ("http", {"mode": "keep-alive", "busy": 1}, "value", "aem", ("epoll",), 1.0),
    ("http", {"mode": "keep-alive", "busy": 500}, "value", "aem", ("io_uring",), 0.87),
    ("http", {"mode": "keep-alive", "busy": 500}, "value", "aem", ("epoll",), 0.95),
    ("http", {"mode": "keep-alive", "busy": 500}, "value", "aem", ("floor",), 0.98),
    ("http", {"mode": "keep-alive", "busy": 500}, "syscalls", "aem", (), 0.02),
    ("http", {"mode": "one request"}, "value", "aem", ("io_uring", "epoll"), 0.90),
    ("http", {"mode": "one request"}, "value", "aem", ("floor",), 0.97),
    ("echo", {"protocol": "UDP", "bytes": 64, "peers": 500}, "value", "aem", ("io_uring",), 0.80),
    ("echo", {"protocol": "UDP", "bytes": 64, "peers": 500}, "value", "aem", ("epoll",), 0.95),
)

# bench, params of one row, of the other, system, limit of their ratio: how flat it stays.
FLAT = (
    ("timer-arm", {"timers": 1000}, {"timers": 1000000}, "aem", 1.15),
    ("timer-arm", {"timers": 1000}, {"timers": 1000000}, "aem, batched", 1.15),
    ("timer-fire", {"timers": 1000}, {"timers": 1000000}, "aem", 1.15),
    ("http", {"open": 100}, {"open": 10000}, "aem", 1.02),
    ("priority", {"backlog": 0}, {"backlog": 100000}, "aem", 1.2),
)

# Kernels of the table; what was found on the first one lies in no folder of its own.
KERNELS = ("6.1", "7.3")


class Result:
    """A goal, and the figure that it is about."""

    def __init__(self, place, against, figure, limit, best=None):
        self.place = place          # bench, system, params
        self.against = against
        self.figure = figure
        self.limit = limit
        self.best = best or against

    def verdict(self):
        return "reached" if self.figure <= self.limit else "MISSED"

    def key(self):
        return self.place, self.against, self.limit

    def line(self):
        _, system, where = self.place
        return (f"goal: {system}, {where}: {self.figure:.4g} {self.best}, at most "
                f"{self.limit:g}: {self.verdict()}")


def label(params):
    return ", ".join(f"{key} {value}" for key, value in params.items())


def matches(row, params, system):
    return (row["system"] == system and "error" not in row and
            all(row["params"].get(key) == value for key, value in params.items()))


def find(document, params, system):
    return [row for row in document["rows"] if matches(row, params, system)]


def against_peers(document, goal):
    """A result for each row that the goal is about."""
    bench, params, key, system, peers, limit = goal
    for row in find(document, params, system):
        place = bench, system, label(row["params"])
        if not peers:
            name = {"value": document["unit"], "syscalls": "system calls"}[key]
            yield Result(place, name, row[key], limit)
            continue
        others = [other for peer in peers for other in find(document, row["params"], peer)
                  if other["params"] == row["params"]]
        if others:
            best = min(others, key=lambda other: other[key])
            yield Result(place, "of " + " or ".join(peers), row[key] / best[key], limit,
                         "of " + best["system"])


def flatness(document, goal):
    """Whether there is anything to say of it."""
    bench, first, last, system, limit = goal
    a, b = find(document, first, system), find(document, last, system)
    if a and b:
        yield Result((bench, system, label(last)), f"of {label(first)}",
                     b[0]["value"] / a[0]["value"], limit)


def results(document):
    """What these figures say of the goals."""
    name = document["bench"]
    found = [result for goal in GOALS if goal[0] == name
             for result in against_peers(document, goal)]
    return found + [result for goal in FLAT if goal[0] == name
                    for result in flatness(document, goal)]


def judge(document):
    """Lines about the goals that these figures tell of."""
    return [result.line() for result in results(document)]


def read(folder, name, kernel):
    """{key: result} of what a benchmark has found, if it has."""
    path = os.path.join(folder, "" if kernel == KERNELS[0] else kernel, name + ".json")
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as f:
        return {result.key(): result for result in results(json.load(f))}


def cell(result):
    return f"{result.figure:.4g} {result.verdict()}" if result else "not measured"


def row_of(key, columns):
    (bench, system, where), against, limit = key
    shown = f"{bench}: {where}" + (f" ({system})" if system != "aem" else "")
    return [shown, against, f"{limit:g}"] + [cell(column.get(key)) for column in columns]


def table(folder):
    """Lines: each goal, and how far it is reached on each kernel."""
    rows = [["", "", "at most", *KERNELS]]
    for name in dict.fromkeys(goal[0] for goal in GOALS + FLAT):
        columns = [read(folder, name, kernel) for kernel in KERNELS]
        rows += [row_of(key, columns) for key in dict.fromkeys(k for c in columns for k in c)]
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  ".join(text.ljust(width) if i < 2 else text.rjust(width)
                      for i, (text, width) in enumerate(zip(row, widths))) for row in rows]


if __name__ == "__main__":
    print("\n".join(table(sys.argv[1])))
