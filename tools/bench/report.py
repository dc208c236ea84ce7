# SPDX-License-Identifier: GPL-2.0
"""What a benchmark found: as JSON, as a table, as a picture."""

import json
import os

import goals

COLUMNS = ("value", "guest", "syscalls", "switches")


def label(params):
    return ", ".join(f"{key} {value}" for key, value in params.items())


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(document):
    """Lines: a row each, what could not run among them."""
    lines = [f"{document['bench']}: {document['unit']}, kernel {document['kernel']}",
             f"{'':34}{'system':<22}{'value':>12}{'guest':>12}{'syscalls':>10}{'switches':>10}"]
    last = None
    order = list(dict.fromkeys(label(row["params"]) for row in document["rows"]))
    for row in sorted(document["rows"], key=lambda row: order.index(label(row["params"]))):
        name = label(row["params"])
        shown = "" if name == last else name
        last = name
        line = f"{shown:<34}{row['system']:<22}"
        if "error" in row:
            lines.append(line + f"  could not run: {row['error']}")
            continue
        lines.append(line + "".join(f"{number(row[key]):>{width}}"
                                    for key, width in zip(COLUMNS, (12, 12, 10, 10))))
    return lines


def figures(document):
    """{label of params: {system: value}}, in their order."""
    found = {}
    for row in document["rows"]:
        group = found.setdefault(label(row["params"]), {})
        if "error" not in row:
            group[row["system"]] = row["value"]
    return found


def color(system, others):
    return "#c0392b" if system.startswith("aem") else f"C{others.index(system) % 9}"


def picture(document, path):
    import matplotlib                               # pylint: disable=import-outside-toplevel
    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "aem", "font.size": 8})
    from matplotlib import pyplot                   # pylint: disable=import-outside-toplevel

    groups = figures(document)
    systems = list(dict.fromkeys(row["system"] for row in document["rows"]))
    others = [system for system in systems if not system.startswith("aem")]
    width = 0.8 / len(systems)
    chart, axes = pyplot.subplots(figsize=(max(6, 1.2 + 0.22 * len(systems) * len(groups)), 3.6))
    hatches = {}
    for i, system in enumerate(systems):
        if system.startswith("aem"):
            hatches[system] = ("", "//", "..", "xx")[len(hatches) % 4]
        places = [n for n, group in enumerate(groups.values()) if system in group]
        heights = [list(groups.values())[n][system] for n in places]
        axes.bar([n + (i - (len(systems) - 1) / 2) * width for n in places], heights, width,
                 label=system, color=color(system, others), hatch=hatches.get(system, ""))
    values = [value for group in groups.values() for value in group.values() if value > 0]
    if values and max(values) > 20 * min(values):
        axes.set_yscale("log")
    axes.set_xticks(range(len(groups)))
    axes.set_xticklabels(list(groups), rotation=0 if len(groups) < 4 else 20,
                         ha="center" if len(groups) < 4 else "right")
    axes.set_ylabel(document["unit"])
    axes.set_title(f"{document['bench']}, Linux {document['kernel']}", loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, ncols=min(4, len(systems)), loc="upper center",
                bbox_to_anchor=(0.5, -0.28 if len(groups) > 3 else -0.12))
    chart.savefig(path, format="svg", bbox_inches="tight", metadata={"Date": None})
    pyplot.close(chart)


def write(document, folder, kernel):
    """All three; those of a kernel other than the first are named after it."""
    os.makedirs(folder, exist_ok=True)
    stem = os.path.join(folder, document["bench"] + ("" if kernel == "6.1" else f"-{kernel}"))
    lines = table(document) + goals.judge(document)
    with open(stem + ".json", "w", encoding="utf-8") as f:
        json.dump(document, f, indent=1)
        f.write("\n")
    with open(stem + ".txt", "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")
    print("\n".join(lines), flush=True)
    picture(document, stem + ".svg")
