#!/usr/bin/env python3
"""report.py RESULTS: medians and ratios as Markdown tables, from the lines that measure.py wrote."""

import json
import sys
from statistics import median

COLUMNS = {
    "wall": "wall s",
    "controller": "controller CPU s",
    "hosts": "hosts CPU s",
    "peak": "peak MiB",
}


def table(kind: str, runs: list[dict]) -> None:
    tools = list(dict.fromkeys(run["tool"] for run in runs))
    good = {t: [r for r in runs if r["tool"] == t and r["ok"]] for t in tools}
    base = "weir" if good.get("weir") else next((t for t in tools if good[t]), None)
    print(f"\n### {kind} run\n")
    ratio = f"times {base}'s wall" if base else "ratio"
    print("| tool | runs | " + " | ".join(COLUMNS.values()) + f" | {ratio} |")
    print("|---|---:|" + "---:|" * (len(COLUMNS) + 1))
    for tool in tools:
        total = sum(run["tool"] == tool for run in runs)
        count = f"{len(good[tool])}" if len(good[tool]) == total else f"{len(good[tool])} of {total}"
        if not good[tool]:
            print(f"| {tool} | {count} | " + "failed | " * len(COLUMNS) + "|")
            continue
        middle = {c: median(run[c] for run in good[tool]) for c in COLUMNS}
        ratio = middle["wall"] / median(run["wall"] for run in good[base])
        cells = " | ".join(f"{middle[c]:.0f}" if c == "peak" else f"{middle[c]:.2f}" for c in COLUMNS)
        print(f"| {tool} | {count} | {cells} | {ratio:.1f} |")


def main() -> None:
    with open(sys.argv[1]) as file:
        runs = [json.loads(line) for line in file]
    for kind in ("first", "second"):
        table(kind, [run for run in runs if run["kind"] == kind])


main()
