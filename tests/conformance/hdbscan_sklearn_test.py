"""HDBSCAN's labels against scikit-learn's, through the program, on every set of the clustering benchmark up to 5,000 rows.

Where scikit-learn differs from itself (its two ways, or the rows in another order), equal reaches decide, and ours may differ as far. Run as a script, it prints a line a set.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("SLUICE", ROOT / "build" / "bin" / "sluice"))
DATA = pathlib.Path(os.environ.get("SLUICE_DATA", ROOT.parent / "shared" / "data")) / "clustering"
SETS = sorted(DATA.glob("*/*.data.gz")) if DATA.is_dir() else []
MOST_ROWS = 5_000

sklearn_cluster = pytest.importorskip("sklearn.cluster")
adjusted_rand = pytest.importorskip("sklearn.metrics").adjusted_rand_score

if __name__ != "__main__":
    if not SETS:
        pytest.skip(f"no clustering sets under {DATA}", allow_module_level=True)
    if not PROGRAM.exists():
        pytest.skip(f"{PROGRAM} is not built", allow_module_level=True)


def hdbscan(folder, rows, *options):
    np.save(folder / "rows.npy", rows)
    out = folder / "out"
    command = [PROGRAM, "hdbscan", folder / "rows.npy", "-o", out, "--overwrite", "--json", "-q", *map(str, options)]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return np.load(out / "labels.npy"), json.loads(done.stdout)["result"], out


def compared(path, folder, method):
    """(agreement with scikit-learn, agreement of scikit-learn with itself); nothing for sets that are too large.

    Itself: by its two ways, and with the rows in another order. Where it differs, equal reaches decide.
    """
    rows = np.loadtxt(path, ndmin=2)
    if len(rows) > MOST_ROWS:
        return None
    theirs = []
    for way, seed in (("kd_tree", None), ("brute", None), ("kd_tree", 0), ("kd_tree", 1), ("kd_tree", 2)):
        order = np.arange(len(rows)) if seed is None else np.random.default_rng(seed).permutation(len(rows))
        labels = np.empty(len(rows), int)
        model = sklearn_cluster.HDBSCAN(min_cluster_size=10, cluster_selection_method=method, algorithm=way, copy=True)
        labels[order] = model.fit_predict(rows[order])
        theirs.append(labels)
    labels, result, _ = hdbscan(folder, rows, "--min-cluster-size", 10, "--cluster-selection-method", method)
    assert result["n_noise"] == int((labels == -1).sum())
    assert result["n_clusters"] == labels.max() + 1
    return max(adjusted_rand(labels, t) for t in theirs), min(adjusted_rand(theirs[0], t) for t in theirs)


@pytest.mark.parametrize("path", SETS, ids=lambda p: f"{p.parent.name}-{p.name[:-8]}")
@pytest.mark.parametrize("method", ["eom", "leaf"])
def test_labels_are_scikit_learns(path, method, tmp_path):
    both = compared(path, tmp_path, method)
    if both is None:
        pytest.skip("too many rows for a quick comparison")
    if both[1] < 0.9995:
        assert both[0] > both[1] - 0.05  # no farther from it than it is from itself
    else:
        assert both[0] > 0.999


@pytest.mark.parametrize("path", SETS[::9], ids=lambda p: f"{p.parent.name}-{p.name[:-8]}")
def test_apply_gives_the_training_labels_and_ways_agree(path, tmp_path):
    rows = np.loadtxt(path, ndmin=2)[:MOST_ROWS]
    labels, _, out = hdbscan(tmp_path, rows)
    command = [PROGRAM, "apply", out / "model.safetensors", tmp_path / "rows.npy", "-o", tmp_path / "applied", "-q"]
    subprocess.run(list(map(str, command)), check=True, capture_output=True, timeout=300)
    for name in ("labels.npy", "probabilities.npy", "outlier_scores.npy", "centers.csv"):
        assert (tmp_path / "applied" / name).read_bytes() == (out / name).read_bytes(), name
    for way in ("brute", "kd_tree"):
        assert np.array_equal(hdbscan(tmp_path, rows, "--algorithm", way)[0], labels), way


if __name__ == "__main__":
    for one in SETS:
        for how in ("eom", "leaf"):
            with tempfile.TemporaryDirectory() as scratch:
                found = compared(one, pathlib.Path(scratch), how)
            if found is not None:
                print(f"{one.parent.name}/{one.name[:-8]:24s} {how:4s} {found[0]:.4f}  scikit-learn with itself {found[1]:.4f}", flush=True)
    sys.exit(0)
