#!/usr/bin/env python3
"""Puts the newest line of each comparison in bench/results into the table of docs/performance.md, losses included.

usage: table.py [--print]
"""

import csv
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/performance.md"
BEGIN, END = "<!-- table: made by bench/rivals/table.py -->", "<!-- table ends -->"
HEAD = "| work | peer | ours, s | peer, s | ratio | spread | ratio by `run.json` | memory, MB: ours, peer | share of limit | quality |"


def newest(folder):
    """The last line for each work, peer and number of threads, in the order of the files."""
    found = {}
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if "peer" not in (reader.fieldnames or []):
                continue  # a micro-benchmark's
            for line in reader:
                found[line["work"], line["peer"], line["threads"]] = line
    return list(found.values())


def cells(line):
    share = f"{100 * float(line['share']):.0f} % of {line['limit']}" if line["share"] else "none stated"
    ratio = f"{float(line['ratio']):.2f}"
    return [
        line["work"],
        f"{line['peer']} {line['peer_version']}",
        f"{float(line['ours_s']):.3f}",
        f"{float(line['peer_s']):.3f}",
        ratio if float(line["ratio"]) >= 1 else f"**{ratio}, slower**",
        f"{float(line['ratio_low']):.2f} to {float(line['ratio_high']):.2f}, {line['pairs']} pairs",
        f"{float(line['ratio_run']):.2f}",
        f"{int(line['ours_memory']) / 1e6:.0f}, {int(line['peer_memory']) / 1e6:.0f}",
        share,
        line["quality"],
    ]


def table(folder):
    lines = newest(folder)
    if not lines:
        return []
    about = f"{folder.name}, {', '.join(sorted({line['threads'] for line in lines}))} threads, {min(line['date'] for line in lines)[:10]}"
    about += f" to {max(line['date'] for line in lines)[:10]}; load average {min(float(line['load']) for line in lines)}"
    about += f" to {max(float(line['load']) for line in lines)}."
    rule = "|---|---|---:|---:|---:|---|---:|---:|---|---|"
    return [f"### {folder.name}", "", about, "", HEAD, rule, *("| " + " | ".join(cells(line)) + " |" for line in lines), ""]


def main():
    made = [line for folder in sorted((ROOT / "bench/results").iterdir()) if folder.is_dir() for line in table(folder)]
    if "--print" in sys.argv[1:]:
        print("\n".join(made))
        return
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    PAGE.write_text(before + BEGIN + "\n\n" + "\n".join(made) + END + rest.split(END)[1], encoding="utf-8")


if __name__ == "__main__":
    main()
