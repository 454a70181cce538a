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
HEAD = (
    "| work | peer | ours, s | peer, s | ratio | spread | ratio by `run.json` | fit, s: ours, peer "
    "| memory, MB: ours, peer | share of limit | quality |"
)


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


def number(text, form):
    return format(float(text), form) if text else ""


def both(ours, theirs):
    return ", ".join(word for word in (ours, theirs) if word)


def judged(ratio):
    return "" if not ratio else number(ratio, ".2f") if float(ratio) >= 1 else f"**{number(ratio, '.2f')}, slower**"


def megabytes(size):
    return f"{int(size) / 1e6:.0f}" if size else ""


def cells(line):
    share = f"{100 * float(line['share']):.0f} % of {line['limit']}" if line["share"] else "none stated"
    spread = f"{float(line['ratio_low']):.2f} to {float(line['ratio_high']):.2f}, {line['pairs']} pairs" if line["ratio"] else ""
    return [
        line["work"],
        f"{line['peer']} {line['peer_version']}".strip(),
        number(line["ours_s"], ".3f"),
        number(line["peer_s"], ".3f"),
        judged(line["ratio"]),
        spread,
        number(line["ratio_run"], ".2f"),
        # Older lines have no fit.
        both(number(line.get("ours_fit_s"), ".3f"), number(line.get("peer_fit_s"), ".3f")),
        both(megabytes(line["ours_memory"]), megabytes(line["peer_memory"])),
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
    rule = "|---|---|---:|---:|---:|---|---:|---:|---:|---|---|"
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
