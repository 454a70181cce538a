"""Neighbours against scikit-learn's, through the program, on every small set of the clustering benchmark.

Distances must agree to rounding. Neighbours must agree where no other row is as near: scikit-learn orders equal distances as it likes.
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
MOST_ROWS = 4_000
K = 7

sklearn_neighbors = pytest.importorskip("sklearn.neighbors")

if not SETS:
    pytest.skip(f"no clustering sets under {DATA}", allow_module_level=True)
if not PROGRAM.exists():
    pytest.skip(f"{PROGRAM} is not built", allow_module_level=True)


def neighbors(folder, rows, *options):
    np.save(folder / "rows.npy", rows)
    out = folder / "out"
    command = [PROGRAM, "neighbors", folder / "rows.npy", "-o", out, "--overwrite", "--json", "-q", *map(str, options)]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["result"], out


@pytest.mark.parametrize("path", SETS, ids=lambda p: f"{p.parent.name}-{p.name[:-8]}")
@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine"])
def test_neighbors_are_scikit_learns(path, metric, tmp_path):
    rows = np.loadtxt(path, ndmin=2)
    if not K + 2 < len(rows) <= MOST_ROWS:
        pytest.skip("too few or too many rows for a quick comparison")
    _, out = neighbors(tmp_path, rows, "--n-neighbors", K, "--metric", metric)
    indices, distances = np.load(out / "indices.npy"), np.load(out / "distances.npy")
    assert indices.dtype == np.int64 and indices.shape == distances.shape == (len(rows), K)
    assert (indices != np.arange(len(rows))[:, None]).all()
    near = sklearn_neighbors.NearestNeighbors(n_neighbors=K + 1, metric=metric, algorithm="brute").fit(rows)
    theirs, who = near.kneighbors()
    slack = 1e-6 if metric != "manhattan" else 1e-12  # it takes |x|^2 - 2xy + |y|^2 for euclidean
    scale = np.abs(rows).max() if metric != "cosine" else 1
    assert np.allclose(distances, theirs[:, :K], rtol=1e-6, atol=slack * scale)
    gap = 10 * slack * scale
    apart = (np.diff(theirs, axis=1) > gap) & np.concatenate([np.ones((len(rows), 1), bool), np.diff(theirs, axis=1)[:, :-1] > gap], axis=1)
    assert (indices == who[:, :K])[apart].all()


@pytest.mark.parametrize("path", SETS[:6], ids=lambda p: f"{p.parent.name}-{p.name[:-8]}")
def test_radius_is_scikit_learns(path, tmp_path):
    rows = np.loadtxt(path, ndmin=2)[:MOST_ROWS]
    near = sklearn_neighbors.NearestNeighbors(algorithm="kd_tree").fit(rows)
    radius = float(np.quantile(near.kneighbors(n_neighbors=5)[0][:, 4], 0.8)) * 1.000003
    result, out = neighbors(tmp_path, rows, "--radius", repr(radius))
    distances, who = near.radius_neighbors(radius=radius)
    assert np.array_equal(np.load(out / "counts.npy"), [len(w) for w in who])
    assert result["n_pairs"] == sum(map(len, who))
    edges = np.loadtxt(out / "edges.csv", delimiter=",", skiprows=1, ndmin=2)
    assert np.array_equal(np.sort(edges[:, 0] * len(rows) + edges[:, 1]), np.sort(np.concatenate([i * len(rows) + w for i, w in enumerate(who)])))
    assert np.allclose(np.sort(edges[:, 2]), np.sort(np.concatenate(distances)), rtol=1e-9)
