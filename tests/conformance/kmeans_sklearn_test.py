"""k-means against scikit-learn on real sets: equal labels and inertia from equal starts, and seeding that is as good."""
import csv
import gzip
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from sluice_program import done, needs_data  # noqa: E402

np = pytest.importorskip("numpy")
cluster = pytest.importorskip("sklearn.cluster")

SETS = ["sipu/s1", "sipu/a1", "sipu/aggregation", "uci/wine", "uci/ecoli", "fcps/hepta", "other/iris", "g2mg/g2mg_16_30"]


def load(name):
    return np.loadtxt(gzip.open(needs_data("clustering", *f"{name}.data.gz".split("/"))), ndmin=2)


@pytest.mark.parametrize("name", SETS)
def test_equal_from_equal_starts(name, tmp_path):
    x = load(name)
    k = 7
    start = x[np.random.default_rng(3).choice(len(x), k, replace=False)]
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "c.npy", start)
    ended = done("kmeans", tmp_path / "x.npy", "--n-clusters", k, "--init", tmp_path / "c.npy", "--tol", 0, "-o", tmp_path / "o")
    theirs = cluster.KMeans(k, init=start, n_init=1, tol=0, algorithm="lloyd", max_iter=300).fit(x)
    assert abs(ended.result["inertia"] / theirs.inertia_ - 1) < 1e-6
    assert np.array_equal(np.load(tmp_path / "o/labels.npy"), theirs.labels_)


@pytest.mark.parametrize("name", SETS[:4])
def test_one_start_is_as_good(name, tmp_path):
    x = load(name)
    np.save(tmp_path / "x.npy", x)
    k = 15
    ours = [done("kmeans", tmp_path / "x.npy", "--n-clusters", k, "--n-init", 1, "--seed", s, "-o", tmp_path / "o").result["inertia"] for s in range(12)]
    theirs = [cluster.KMeans(k, n_init=1, random_state=s).fit(x).inertia_ for s in range(12)]
    assert np.median(ours) < 1.05 * np.median(theirs)


def test_the_lowest_known_inertias(tmp_path):
    with open(needs_data("reference", "kmeans_lowest_inertia.csv"), newline="") as file:
        rows = [row for row in csv.DictReader(file) if int(row["n"]) <= 6000 and 2 <= int(row["k"]) <= 20]
    assert rows, "an empty reference table proves nothing"
    for row in rows:
        np.save(tmp_path / "x.npy", load(row["dataset"]))
        got = done("kmeans", tmp_path / "x.npy", "--n-clusters", row["k"], "--n-init", 32, "-o", tmp_path / "o").result["inertia"]
        assert got < 1.005 * float(row["lowest_known"]), row["dataset"]
