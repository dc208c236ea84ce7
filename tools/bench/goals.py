# SPDX-License-Identifier: GPL-2.0
"""What AEM is to reach. A goal that is missed is told, and fails nothing: what fails is a figure
that was better before (gate.py)."""

# bench, params that a row must have, key, AEM's system, peers (the best of them counts), limit.
# No peers: the limit is the figure itself.
GOALS = (
    ("timer-arm", {}, "value", "aem", ("timerfd",), 0.5),
    ("timer-arm", {}, "value", "aem, batched", ("timerfd",), 0.3),
    ("timer-fire", {}, "value", "aem", ("timerfd",), 0.6),
    ("swap", {"events": 10000}, "value", "aem", (), 10000000),
    ("wake", {}, "value", "aem", ("eventfd + epoll",), 0.7),
    ("interrupt", {}, "value", "aem", ("RT signal",), 1.0),
    ("hint", {"what": "p99 to handler"}, "value", "aem, hint", ("aem",), 0.2),
    ("hint", {"what": "percent that a hog lacks"}, "value", "aem, hint", (), 20),
    ("fd", {}, "value", "aem", ("inotify",), 1.0),
    ("memory", {"object": "file"}, "value", "aem", ("inotify",), 1.0),
    ("pexit", {}, "value", "aem", ("pidfd + epoll + waitid",), 1.0),
    ("memory", {"object": "timer"}, "value", "aem", (), 208),
    ("memory", {"object": "socket"}, "value", "aem", (), 272),
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


def matches(row, params, system):
    return (row["system"] == system and "error" not in row and
            all(row["params"].get(key) == value for key, value in params.items()))


def find(document, params, system):
    return [row for row in document["rows"] if matches(row, params, system)]


def verdict(reached):
    return "reached" if reached else "MISSED"


def same(row, rows):
    return [other for other in rows if other["params"] == row["params"]]


def against_peers(document, goal):
    _, params, key, system, peers, limit = goal
    lines = []
    for row in find(document, params, system):
        where = ", ".join(f"{k} {v}" for k, v in row["params"].items())
        if not peers:
            lines.append(f"goal: {system}, {where}: {key} {row[key]:.4g}, at most {limit}: "
                         + verdict(row[key] <= limit))
            continue
        others = [other for peer in peers for other in same(row, find(document, {}, peer))]
        if not others:
            continue
        best = min(others, key=lambda other: other[key])
        ratio = row[key] / best[key]
        lines.append(f"goal: {system}, {where}: {ratio:.3f} of {best['system']}, at most "
                     f"{limit}: {verdict(ratio <= limit)}")
    return lines


def flatness(document, goal):
    _, first, last, system, limit = goal
    a, b = find(document, first, system), find(document, last, system)
    if not a or not b:
        return []
    ratio = b[0]["value"] / a[0]["value"]
    return [f"goal: {system}, from {first} to {last}: times {ratio:.3f}, at most {limit}: "
            + verdict(ratio <= limit)]


def judge(document):
    """Lines about the goals that these figures tell of."""
    lines = []
    for goal in GOALS:
        if goal[0] == document["bench"]:
            lines += against_peers(document, goal)
    for goal in FLAT:
        if goal[0] == document["bench"]:
            lines += flatness(document, goal)
    return lines
