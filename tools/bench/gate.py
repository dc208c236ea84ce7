# SPDX-License-Identifier: GPL-2.0
"""Figures of AEM that are worse than the baseline fail. Under --icount a figure repeats within 1%."""

import json
import os
import statistics

HERE = os.path.dirname(os.path.realpath(__file__))
BASELINE = os.path.join(HERE, "baseline.json")
WORSE = 1.03
# A system call more or less is no noise, but a hundredth of one is.
CALLS = 0.02


def key_of(document, row):
    params = ", ".join(f"{k} {v}" for k, v in row["params"].items())
    return f"{document['bench']} | {row['system']} | {params}"


def rows_of(documents):
    return {key_of(document, row): {"value": row["value"], "syscalls": row["syscalls"]}
            for document in documents for row in document["rows"] if "error" not in row}


def is_ours(key):
    return key.split(" | ")[1].startswith("aem")


def accept(documents):
    """Makes these figures the baseline: 0."""
    errors = [key_of(document, row) for document in documents for row in document["rows"]
              if "error" in row and row["system"].startswith("aem")]
    if errors:
        raise SystemExit(f"bench: no baseline without figures for {', '.join(errors)}")
    with open(BASELINE, "w", encoding="utf-8") as f:
        json.dump({"kernel": documents[0]["kernel"], "rows": rows_of(documents)}, f, indent=1,
                  sort_keys=True)
        f.write("\n")
    print(f"bench: {BASELINE} holds these figures now: commit it")
    return 0


def scale_of(base, now):
    """What another build of the kernel changes for the peers is no fault of ours."""
    ratios = [now[key]["value"] / base[key]["value"] for key in base
              if key in now and not is_ours(key) and base[key]["value"]]
    return statistics.median(ratios) if ratios else 1.0


def judge(documents):
    """0, or 1 and sentences."""
    if not os.path.exists(BASELINE):
        print("bench: there is no baseline: make bench-accept")
        return 1
    with open(BASELINE, encoding="utf-8") as f:
        baseline = json.load(f)
    base, now, scale = baseline["rows"], rows_of(documents), 1.0
    if baseline["kernel"] != documents[0]["kernel"]:
        scale = scale_of(base, now)
        print(f"bench: the baseline is of kernel {baseline['kernel']}; the peers take "
              f"{scale:.3f} of what they took there")
    bad = []
    for key in sorted(base):
        if not is_ours(key):
            continue
        if key not in now:
            bad.append(f"{key}: in the baseline, and was not measured")
            continue
        old, new = base[key], now[key]
        if new["value"] > old["value"] * scale * WORSE:
            bad.append(f"{key}: {new['value']:.0f}, was {old['value']:.0f}")
        if new["syscalls"] > old["syscalls"] * WORSE + CALLS:
            bad.append(f"{key}: {new['syscalls']} system calls, were {old['syscalls']}")
    for line in bad:
        print(f"bench: worse: {line}")
    print(f"bench: {len(bad)} of {sum(map(is_ours, base))} figures worse than the baseline by more "
          f"than {WORSE - 1:.0%}" + ("; if that is meant: make bench-accept" if bad else ""))
    return 1 if bad else 0
