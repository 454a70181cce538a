#!/usr/bin/env python3
"""Our program and other libraries on the same work, run in turns.

usage: run.py ID|all [--threads N] [--quick] [--program PATH] [--no-csv]

IDs: KM KS KP PC DB SC (rows.py says what they are). Ours is the program as a process, from its start to its end: reading, fitting,
writing, checksums and report. A peer is a warm process: np.load of the same file, fit, np.save of what it gives; imports and the first
run are not counted. Each pair is ours, then the peer's; the ratio is the median over pairs of peer's seconds by ours: above 1 we are
quicker. Beside it stands the same ratio by the `seconds` of our run.json, which end before checksums and report.
"""

import argparse
import csv
import datetime
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

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

FIELDS = (
    "date revision row work peer peer_version threads pairs ours_s peer_s ratio ratio_low ratio_high ours_run_s ratio_run "
    "ours_memory peer_memory limit limit_rate share quality quality_words load"
).split()


def environment(peer):
    """What suits the peer. faiss waits asleep: spinning, it is several times slower as soon as anything else runs on the machine."""
    given = {name: value for name, value in os.environ.items() if name not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
    if peer != "faiss":
        return given
    given["OMP_WAIT_POLICY"] = "passive"
    if (VENV / "newer_blas.so").exists():
        given["LD_PRELOAD"] = str(VENV / "newer_blas.so")
    elif machine.has_avx512():  # the OpenBLAS of its own wheel takes an SSE kernel on an AMD that it does not know
        given["OPENBLAS_CORETYPE"] = "SkylakeX"
    return given


class Peer:
    """A warm process of one library."""

    def __init__(self, name, row, folder, threads):
        self.row, self.folder, self.threads = row, folder / name, threads
        self.folder.mkdir()
        worker = pathlib.Path(__file__).resolve().parent / "worker.py"
        limits = {"OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)}
        command = [sys.executable, "-P", worker, name]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment(name) | limits)

    def run(self, options):
        job = {"work": self.row.work, "data": options["data"], "options": options, "threads": self.threads, "out": str(self.folder)}
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("the peer's process ended; its message stands above")
        answer = json.loads(line)
        return answer, rows.theirs_of(self.folder, answer["facts"])

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def run_ours(program, row, options, folder, threads):
    command = [program, *row.command(options), "-q", "--overwrite", "--threads", threads, "-o", folder]
    begin = time.perf_counter()
    subprocess.run([str(word) for word in command], check=True, env=environment("ours"))
    whole = time.perf_counter() - begin
    facts = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    return {"seconds": whole, "peak_memory": facts["peak_memory"], "run": facts["seconds"]}, rows.ours_of(row.work, folder)


def copied(result):
    return {name: np.array(value) if isinstance(value, np.ndarray) else value for name, value in result.items()}


def compare(row, name, options, folder, arguments):
    """The pairs of one row and one peer: times of both sides, and whether they gave the same."""
    peer = Peer(name, row, folder, arguments.threads)
    ours_folder = folder / f"ours-{name}"
    pairs, results = [], []
    try:
        for turn in range(-1, 3 if arguments.quick else 5):  # the first is for warmth, not counted
            options = options | ({"seed": turn + 1} if row.seeded else {})
            ours, our_result = run_ours(arguments.program, row, options, ours_folder, arguments.threads)
            theirs, their_result = peer.run(options)
            if turn < 0:
                continue
            pairs.append((ours, theirs))
            if row.seeded:
                results.append((copied(our_result), copied(their_result)))
    finally:
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


def measure(row, name, options, folder, arguments):
    rates = {kind: machine.rate(kind, arguments.threads) for kind in ("sgemm", "dgemm", "copy")}
    pairs, equal, words, facts = compare(row, name, options, folder, arguments)
    ratios = [theirs["seconds"] / ours["seconds"] for ours, theirs in pairs]

    def middle(side, what):
        return statistics.median(pair[side][what] for pair in pairs)

    limit, rate, share = share_of_limit(row, options, facts, middle(0, "seconds"), arguments.threads, rates)
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "revision": machine.revision(ROOT),
        "row": row.id,
        "work": row.title,
        "peer": name,
        "peer_version": peer_versions()[name],
        "threads": arguments.threads,
        "pairs": len(pairs),
        "ours_s": f"{middle(0, 'seconds'):.4f}",
        "peer_s": f"{middle(1, 'seconds'):.4f}",
        "ratio": f"{statistics.median(ratios):.3f}",
        "ratio_low": f"{min(ratios):.3f}",
        "ratio_high": f"{max(ratios):.3f}",
        "ours_run_s": f"{middle(0, 'run'):.4f}",
        "ratio_run": f"{statistics.median(theirs['seconds'] / ours['run'] for ours, theirs in pairs):.3f}",
        "ours_memory": max(ours["peak_memory"] for ours, _ in pairs),
        "peer_memory": max(theirs["peak_memory"] for _, theirs in pairs),
        "limit": limit,
        "limit_rate": f"{rate:.4g}",
        "share": "" if share is None else f"{share:.3f}",
        "quality": "ok" if equal else "NOT EQUAL",
        "quality_words": words,
        "load": f"{machine.load():.1f}",
    }


def peer_versions():
    lines = (pathlib.Path(__file__).parent / "requirements.txt").read_text(encoding="utf-8").split()
    pinned = dict(line.split("==") for line in lines)
    return {"sklearn": pinned["scikit-learn"], "faiss": pinned["faiss-cpu"]}


def show(line):
    ours, by_run = f"ours {line['ours_s']} s (run.json {line['ours_run_s']} s)", f"by run.json {line['ratio_run']}"
    print(f"  {line['peer']} {line['peer_version']}: {ours}, peer {line['peer_s']} s")
    spread = f"{line['ratio_low']} to {line['ratio_high']} over {line['pairs']} pairs"
    print(f"    ratio {line['ratio']}, {spread}; {by_run}; load {line['load']}")
    print(f"    peak memory: ours {line['ours_memory'] / 1e6:.0f} MB, peer's process {line['peer_memory'] / 1e6:.0f} MB")
    if line["share"]:
        unit = "GB/s" if line["limit"] == "copy" else "GFLOP/s"
        rate = f"{float(line['limit_rate']) / 1e9:.0f} {unit}"
        print(f"    {100 * float(line['share']):.0f} % of {line['limit']}'s measured {rate}, by the whole run of ours")
    print(f"    {line['quality_words']}: {line['quality']}", flush=True)


def append(lines, id_):
    path = ROOT / "bench/results" / machine.slug() / f"{id_.lower()}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = not path.exists()
    with path.open("a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        if fresh:
            writer.writeheader()
        writer.writerows(lines)


def run_id(id_, arguments):
    """All comparisons of one ID. The closing line tells the worst: the quickest peer, of the cases the least ratio."""
    lines = []
    for row in (row for row in rows.ROWS if row.id == id_):
        with tempfile.TemporaryDirectory(prefix="sluice-bench-") as name:
            folder = pathlib.Path(name)
            print(f"{row.id}: {row.title}; {arguments.threads} threads", flush=True)
            options = row.make(folder)
            for peer in row.peers:
                lines.append(measure(row, peer, options, folder, arguments))
                show(lines[-1])
    if not arguments.no_csv:
        append(lines, id_)
    equal = all(line["quality"] == "ok" for line in lines)
    print(f"{id_} ratio {min(float(line['ratio']) for line in lines):.2f} quality {'ok' if equal else 'NOT EQUAL'}", flush=True)
    return equal


def main():
    ids = list(dict.fromkeys(row.id for row in rows.ROWS))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("id", choices=[*ids, "all"])
    parser.add_argument("--threads", type=int, default=machine.usable_threads())
    parser.add_argument("--quick", action="store_true", help="3 pairs instead of 5")
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/bin/sluice")
    parser.add_argument("--no-csv", action="store_true", help="print only")
    arguments = parser.parse_args()
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
