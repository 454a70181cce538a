"""DBSCAN's labels against scikit-learn's, through the program, on every set of the clustering benchmark.

Cores, noise and the numbering must agree; one row may differ where its distance is eps up to rounding (scikit-learn compares squares).
"""
import json
import os
import pathlib
import subprocess

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("SLUICE", ROOT / "build" / "bin" / "sluice"))
DATA = pathlib.Path(os.environ.get("SLUICE_DATA", ROOT.parent / "shared" / "data")) / "clustering"
SETS = sorted(DATA.glob("*/*.data.gz")) if DATA.is_dir() else []
MOST_ROWS = 20_000

sklearn_cluster = pytest.importorskip("sklearn.cluster")
sklearn_neighbors = pytest.importorskip("sklearn.neighbors")

if not SETS:
    pytest.skip(f"no clustering sets under {DATA}", allow_module_level=True)
if not PROGRAM.exists():
    pytest.skip(f"{PROGRAM} is not built", allow_module_level=True)


def dbscan(folder, rows, *options):
    np.save(folder / "rows.npy", rows)
    out = folder / "out"
    command = [PROGRAM, "dbscan", folder / "rows.npy", "-o", out, "--overwrite", "--json", "-q", *map(str, options)]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return np.load(out / "labels.npy"), json.loads(done.stdout)["result"], out


def usual_distance(rows, metric, share):
    """Quantile of the distances to the fifth nearest, moved off the distances themselves."""
    algorithm = "brute" if metric == "cosine" else "auto"
    near = sklearn_neighbors.NearestNeighbors(n_neighbors=5, metric=metric, algorithm=algorithm).fit(rows)
    return float(np.quantile(near.kneighbors(rows)[0][:, 4], share)) * 1.000003


@pytest.mark.parametrize("path", SETS, ids=lambda p: f"{p.parent.name}-{p.name[:-8]}")
@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine"])
def test_labels_are_scikit_learns(path, metric, tmp_path):
    rows = np.loadtxt(path, ndmin=2)
    if len(rows) > (4_000 if metric == "cosine" else MOST_ROWS):
        pytest.skip("too many rows for a quick comparison")
    for share in (0.5, 0.9):
        eps = usual_distance(rows, metric, share)
        if not eps > 1e-12:
            pytest.skip("most rows are duplicates")
        labels, result, _ = dbscan(tmp_path, rows, "--eps", repr(eps), "--min-samples", 5, "--metric", metric)
        theirs = sklearn_cluster.DBSCAN(eps=eps, min_samples=5, metric=metric).fit(rows)
        assert int((labels != theirs.labels_).sum()) <= 1
        assert abs(result["n_core"] - len(theirs.core_sample_indices_)) <= 1
        assert result["n_noise"] == int((labels == -1).sum())
        assert result["n_clusters"] == labels.max() + 1


@pytest.mark.parametrize("path", SETS[::9], ids=lambda p: f"{p.parent.name}-{p.name[:-8]}")
def test_apply_gives_the_training_labels_and_ways_agree(path, tmp_path):
    rows = np.loadtxt(path, ndmin=2)[:MOST_ROWS]
    eps = usual_distance(rows, "euclidean", 0.8)
    labels, _, out = dbscan(tmp_path, rows, "--eps", repr(eps))
    command = [PROGRAM, "apply", out / "model.safetensors", tmp_path / "rows.npy", "-o", tmp_path / "applied", "-q"]
    subprocess.run(list(map(str, command)), check=True, capture_output=True, timeout=300)
    assert np.array_equal(np.load(tmp_path / "applied" / "labels.npy"), labels)
    assert (tmp_path / "applied" / "centers.csv").read_bytes() == (out / "centers.csv").read_bytes()
    for way in ("brute", "kd_tree"):
        assert np.array_equal(dbscan(tmp_path, rows, "--eps", repr(eps), "--algorithm", way)[0], labels), way
