"""How often `sluice advise` is right, on the sets of the clustering benchmark: the table of docs/advise.md.

Every second set by name was used to tune the rules, the others are held out. Each of five candidates (kmeans, gmm, dbscan, hdbscan, hdbscan
leaf) runs with the parameters that advise measured for it, the true number of clusters is told to none. Right: the advised run's adjusted
Rand index is within 0.05 of the best of the five. Noise, in the truth or found, counts as a class of its own.
Run: python tests/conformance/advise_table.py [--markdown]
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from sklearn.metrics import adjusted_rand_score

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("SLUICE", ROOT / "build" / "bin" / "sluice"))
DATA = pathlib.Path(os.environ.get("SLUICE_DATA", ROOT.parent / "shared" / "data")) / "clustering"


def run(command, source, out, params):
    words = [PROGRAM, command, source, "-o", out, "--overwrite", "--json", "-q"]
    for name, value in params.items():
        words += [f"--{name.replace('_', '-')}", value]
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["result"]


def rows_for(advice, folder):
    """The rows that the advised parameters are for."""
    source = folder / "rows.npy"
    if advice["preprocess"]["scale"] != "none":
        run("preprocess", source, folder / "scaled", {})
        source = folder / "scaled" / "X.npy"
    if "reduce" in advice:
        run("pca", source, folder / "reduced", {"n_components": advice["reduce"]["n_components"]})
        source = folder / "reduced" / "embedding.npy"
    return source


def judged(path):
    truth = np.loadtxt(str(path).replace(".data.gz", ".labels0.gz"), dtype=int)
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        np.save(folder / "rows.npy", np.loadtxt(path, ndmin=2))
        advice = run("advise", folder / "rows.npy", folder / "advice", {})
        source = rows_for(advice, folder)
        scores = {}
        for one in advice["candidates"]:
            name = "leaf" if "cluster_selection_method" in one["params"] else one["method"]
            run(one["method"], source, folder / "fit", one["params"])
            scores[name] = adjusted_rand_score(truth, np.load(folder / "fit" / "labels.npy"))
    return {"structure": advice["structure"], "advised": advice["method"], "scores": scores}


def main():
    sets = sorted(DATA.glob("*/*.data.gz"), key=lambda p: p.name)
    if not sets:
        sys.exit(f"no clustering sets under {DATA}")
    names = ["kmeans", "gmm", "dbscan", "hdbscan", "leaf"]
    right = {False: [], True: []}
    print("| set | part | structure | " + " | ".join(names) + " | oracle | advised | ARI | right |")
    print("|---|---|---|" + "---|" * (len(names) + 4))
    for i, path in enumerate(sets):
        found = judged(path)
        held = i % 2 == 1
        best = max(found["scores"], key=found["scores"].get)
        mine = found["scores"].get(found["advised"], 0.0)
        ok = mine >= found["scores"][best] - 0.05
        right[held].append(ok)
        print(f"| {path.name[:-8]} | {'held out' if held else 'tuned'} | {'yes' if found['structure'] else 'no'} | "
              + " | ".join(f"{found['scores'][n]:.2f}" if n in found["scores"] else "-" for n in names)
              + f" | {best} {found['scores'][best]:.2f} | {found['advised']} | {mine:.2f} | {'yes' if ok else '**no**'} |", flush=True)
    for held, title in ((False, "tuned"), (True, "held out")):
        print(f"\n{title}: right on {sum(right[held])} of {len(right[held])} ({100 * np.mean(right[held]):.0f} %)")


if __name__ == "__main__":
    main()
