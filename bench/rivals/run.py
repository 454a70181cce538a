#!/usr/bin/env python3
"""Our program and other libraries on the same work, run in turns.

usage: run.py ID|all [--threads N] [--quick] [--pairs N] [--program PATH] [--no-csv]

IDs: those of rows/, which says what they are; `--help` lists them. Ours is the program as a process, from its start to its end:
reading, fitting, writing, checksums and report. A peer is a warm process: np.load of the same file, fit, np.save of what it gives;
imports and the first run are not counted. Each pair is ours, then the peer's; the ratio is the median over pairs of peer's seconds by
ours: above 1 we are quicker. Beside it stand the same ratio by the `seconds` of our run.json, which end before checksums and report,
and that of the fits alone. A row whose data set or whose peer is not here is skipped by name.
"""

import argparse
import csv
import datetime
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv-bench"
if pathlib.Path(sys.prefix).resolve() != VENV.resolve():
    subprocess.run([ROOT / "tools/bench_setup.sh"], check=True)
    # No setting that would hold a BLAS back, neither the peers' nor the one that measures the peak.
    for held in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        os.environ.pop(held, None)
    os.execv(VENV / "bin/python", [VENV / "bin/python", *sys.argv])

# pylint: disable=wrong-import-position
import machine  # noqa: E402
import numpy as np  # noqa: E402
import rows  # noqa: E402
import sides  # noqa: E402

FIELDS = (
    "date revision row work peer peer_version threads pairs ours_s peer_s ratio ratio_low ratio_high ours_run_s ratio_run "
    "ours_memory peer_memory limit limit_rate share quality quality_words load ours_fit_s peer_fit_s ratio_fit"
).split()


def copied(result):
    return {name: np.array(value) if isinstance(value, np.ndarray) else value for name, value in result.items()}


def compare(row, name, options, folder, arguments):
    """The pairs of one row and one peer, or of ours alone: times of both sides, and whether they gave the same."""
    peer = sides.Peer(name, row, folder, arguments.threads) if name else None
    ours_folder = folder / f"ours-{name}"
    pairs, results = [], []
    try:
        for turn in range(-1, arguments.pairs or row.pairs[0 if arguments.quick else 1]):  # the first is for warmth, not counted
            options = options | ({"seed": turn + 1} if row.seeded else {})
            ours, our_result = sides.run_ours(arguments.program, row, options, ours_folder, arguments.threads)
            theirs, their_result = peer.run(options) if peer else (None, None)
            if turn < 0:
                continue
            pairs.append((ours, theirs))
            if row.seeded:
                results.append((copied(our_result), copied(their_result)))
    finally:
        if peer:
            peer.close()
    equal, words = row.check(options, *(zip(*results) if row.seeded else (our_result, their_result)))
    return pairs, equal, words, our_result["facts"]


def share_of_limit(row, options, facts, seconds, threads, rates):
    """What limits the machine, its rate measured before and after (the better counts), and the share that the whole run of ours reached."""
    found = row.limit(options, facts)
    if found is None:
        return "", 0.0, None
    kind, amount = found
    rate = max(rates[kind], machine.rate(kind, threads))
    return kind, rate, amount / seconds / rate


def middle(values):
    return statistics.median(values)


def ratios(pairs, what, theirs="seconds"):
    """Of each pair the peer's time by ours; none where a side has no such time."""
    return [b[theirs] / a[what] for a, b in pairs if b and a[what] and b[theirs]]


def times(pairs):
    """The columns that are times, memory and their ratios; those of the peer are empty where ours stands alone."""
    ours, theirs = [pair[0] for pair in pairs], [pair[1] for pair in pairs if pair[1]]
    whole, by_run, by_fit = ratios(pairs, "seconds"), ratios(pairs, "run"), ratios(pairs, "fit", "fit")

    def of(side, what):
        values = [one[what] for one in side if one[what] is not None]
        return f"{middle(values):.4f}" if values else ""

    return {
        "ours_s": of(ours, "seconds"),
        "peer_s": of(theirs, "seconds"),
        "ratio": f"{middle(whole):.3f}" if whole else "",
        "ratio_low": f"{min(whole):.3f}" if whole else "",
        "ratio_high": f"{max(whole):.3f}" if whole else "",
        "ours_run_s": of(ours, "run"),
        "ratio_run": f"{middle(by_run):.3f}" if by_run else "",
        "ours_fit_s": of(ours, "fit"),
        "peer_fit_s": of(theirs, "fit"),
        "ratio_fit": f"{middle(by_fit):.3f}" if by_fit else "",
        "ours_memory": max(one["peak_memory"] for one in ours),
        "peer_memory": max((one["peak_memory"] for one in theirs), default=""),
    }


def measure(row, name, options, folder, arguments):
    rates = {kind: machine.rate(kind, arguments.threads) for kind in ("sgemm", "dgemm", "copy")}
    pairs, equal, words, facts = compare(row, name, options, folder, arguments)
    seconds = middle(ours["seconds"] for ours, _ in pairs)
    limit, rate, share = share_of_limit(row, options, facts, seconds, arguments.threads, rates)
    return times(pairs) | {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "revision": machine.revision(ROOT),
        "row": row.id,
        "work": row.title,
        "peer": name or "none",
        "peer_version": sides.version(name) if name else "",
        "threads": arguments.threads,
        "pairs": len(pairs),
        "limit": limit,
        "limit_rate": f"{rate:.4g}",
        "share": "" if share is None else f"{share:.3f}",
        "quality": "ok" if equal else "NOT EQUAL",
        "quality_words": words,
        "load": f"{machine.load():.1f}",
    }


def show(line):
    peer = f"peer {line['peer_s']} s (fit {line['peer_fit_s']} s)" if line["peer_s"] else "no peer"
    fit = f", fit {line['ours_fit_s']} s" if line["ours_fit_s"] else ""
    ours = f"ours {line['ours_s']} s (run.json {line['ours_run_s']} s{fit})"
    print(f"  {line['peer']} {line['peer_version']}: {ours}, {peer}; load {line['load']}")
    if line["ratio"]:
        spread = f"{line['ratio_low']} to {line['ratio_high']} over {line['pairs']} pairs"
        fits = f", by the fits alone {line['ratio_fit']}" if line["ratio_fit"] else ""
        print(f"    ratio {line['ratio']}, {spread}; by run.json {line['ratio_run']}{fits}")
    theirs = f", peer's process {line['peer_memory'] / 1e6:.0f} MB" if line["peer_memory"] else ""
    print(f"    peak memory: ours {line['ours_memory'] / 1e6:.0f} MB{theirs}")
    if line["share"]:
        unit = "GB/s" if line["limit"] == "copy" else "GFLOP/s"
        rate = f"{float(line['limit_rate']) / 1e9:.0f} {unit}"
        print(f"    {100 * float(line['share']):.0f} % of {line['limit']}'s measured {rate}, by the whole run of ours")
    print(f"    {line['quality_words']}: {line['quality']}", flush=True)


def append(lines, id_):
    """Adds to what was measured before, whose columns may have been fewer."""
    path = ROOT / "bench/results" / machine.slug() / f"{id_.lower()}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    before = []
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            before = list(csv.DictReader(file))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows([*before, *lines])


def run_row(row, arguments):
    """The lines of one row: one a peer."""
    lines = []
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as name:
        folder = pathlib.Path(name)
        print(f"{row.id}: {row.title}; {arguments.threads} threads", flush=True)
        try:
            options = row.make(folder)
        except rows.Absent as why:
            print(f"  skipped: {why}", flush=True)
            return lines
        for peer in row.peers or (None,):
            if peer and sides.version(peer) is None:
                print(f"  {peer} skipped: it is not installed", flush=True)
                continue
            lines.append(measure(row, peer, options, folder, arguments))
            show(lines[-1])
    return lines


def run_id(id_, arguments):
    """All comparisons of one ID. The closing line tells the worst: the quickest peer, of the cases the least ratio."""
    chosen = [row for row in rows.ROWS if row.id == id_ and arguments.quick in row.when]
    lines = [line for row in chosen for line in run_row(row, arguments)]
    if not lines:
        print(f"{id_} skipped", flush=True)
        return True
    if not arguments.no_csv:
        append(lines, id_)
    equal = all(line["quality"] == "ok" for line in lines)
    found = [float(line["ratio"]) for line in lines if line["ratio"]]
    print(f"{id_} ratio {f'{min(found):.2f}' if found else 'none'} quality {'ok' if equal else 'NOT EQUAL'}", flush=True)
    return equal


def main():
    ids = list(dict.fromkeys(row.id for row in rows.ROWS))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("id", choices=[*ids, "all"])
    parser.add_argument("--threads", type=int, default=machine.usable_threads())
    parser.add_argument("--quick", action="store_true", help="3 pairs instead of 5, and 20,000 pictures instead of 70,000")
    parser.add_argument("--pairs", type=int, help="pairs that count, instead of the row's own number")
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/bin/sluice")
    parser.add_argument("--no-csv", action="store_true", help="print only")
    arguments = parser.parse_args()
    if arguments.pairs is not None and arguments.pairs < 1:
        parser.error("--pairs takes 1 or more")
    if not arguments.program.exists():
        parser.error(f"no {arguments.program}; `make build` makes it")
    print(f"{machine.cpu_model()}, {arguments.threads} threads.")
    print("Seconds count reading the file and writing the results on both sides: ours from start to end of the process,")
    print("with checksums and report; the peers' without imports and without their first run.")
    print("Limits: the peak of numpy's sgemm or dgemm, or of a copy, measured in this process beside the row.")
    wanted = ids if arguments.id == "all" else [arguments.id]
    return 0 if all([run_id(id_, arguments) for id_ in wanted]) else 1


if __name__ == "__main__":
    sys.exit(main())
