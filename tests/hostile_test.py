"""Settings nobody would choose: leaves of 1, 7 and 8193 rows, every instruction set, rows that stay on the disk.

Other leaves change the order in which numbers are added, so results agree to rounding; the other settings change no bit.
"""
import json

import pytest

from sluice_program import done, manifest_hash, run

np = pytest.importorskip("numpy")

COMMANDS = {
    "kmeans": ["kmeans", "--n-clusters", 5, "--n-init", 3],
    "kmeans-cosine": ["kmeans", "--n-clusters", 5, "--metric", "cosine", "--n-init", 2],
    "kmeans-manhattan": ["kmeans", "--n-clusters", 5, "--metric", "manhattan", "--n-init", 2],
    "kmeans-parallel": ["kmeans", "--n-clusters", 5, "--init", "k-means-parallel", "--n-init", 2],
    "pca": ["pca", "--n-components", 3],
    "pca-randomized": ["pca", "--n-components", 3, "--svd-solver", "randomized"],
    "dbscan": ["dbscan", "--eps", 0.7, "--min-samples", 6],
    "dbscan-brute": ["dbscan", "--eps", 0.7, "--min-samples", 6, "--algorithm", "brute"],
    "preprocess": ["preprocess", "--scale", "robust", "--outliers", "iqr", "--duplicates", "drop"],
    "evaluate": ["evaluate"],
    "neighbors": ["neighbors", "--n-neighbors", 6],
    "neighbors-brute": ["neighbors", "--n-neighbors", 6, "--algorithm", "brute"],
    "neighbors-descent": ["neighbors", "--n-neighbors", 6, "--algorithm", "nn_descent"],
    "neighbors-radius": ["neighbors", "--radius", 0.3],
    "tsne": ["tsne", "--perplexity", 5, "--max-iter", 20],
    "umap": ["umap", "--n-neighbors", 6, "--n-epochs", 10],
    "umap-random": ["umap", "--n-neighbors", 6, "--n-epochs", 10, "--init", "random"],
    "svd": ["svd", "--n-components", 3],
    "random-projection": ["random-projection", "--n-components", 3],
    "hdbscan": ["hdbscan", "--min-cluster-size", 30],
    "hdbscan-cosine": ["hdbscan", "--min-cluster-size", 30, "--metric", "cosine"],
    "gmm": ["gmm", "--n-components", 5, "--max-iter", 5, "--n-samples", 20],
    "gmm-tied": ["gmm", "--n-components", 5, "--max-iter", 5, "--covariance-type", "tied"],
    **{name: [name, "--n-bins", 4, "--min-support", 0.05, "--rules", "--min-confidence", 0.3] for name in ("apriori", "eclat", "fpgrowth")},
    **{f"anomaly-{method}": ["anomaly", "--method", method, "--contamination", 0.02, "--explain", 50, *more]
       for method, more in {"isolation_forest": ["--n-estimators", 20], "ecod": [], "knn": [], "lof": [], "mahalanobis": [], "pca_error": ["--n-components", 2],
                            "gmm_density": ["--n-components", 3, "--max-iter", 5], "dbscan_noise": ["--eps", 0.7], "hdbscan_outliers": [],
                            "ensemble": ["--methods", "ecod,lof"]}.items()},
    "anomaly-conformal": ["anomaly", "--method", "mahalanobis", "--p-values", "conformal", "--explain", 50],
    "text": ["kmeans", "--text", "t", "--metric", "cosine", "--n-clusters", 3, "--n-init", 2],
    "advise": ["advise"],
}
EXACT = {"labels.npy", "rows.npy", "flags.npy", "indices.npy", "counts.npy"}
SMALL = {"dbscan-brute", "tsne", "advise", "umap", "umap-random"}  # they look at all pairs of leaves, try many things, or hold much a row
# Where the last bit decides: from which places a map starts, and which of several starts as likely as each other is kept.
CHAOTIC = {"umap", "gmm-tied"}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """20,011 rows of 5 columns in separated groups, far from the origin, with equal rows, and a labelling."""
    folder = tmp_path_factory.mktemp("table")
    rng = np.random.default_rng(12)
    group = rng.integers(0, 5, 20_011)
    x = rng.normal(size=(20_011, 5)) * 0.6 + rng.normal(size=(5, 5))[group] * 8 + 1000
    x[400:450] = x[:50]
    np.save(folder / "x.npy", x)
    np.save(folder / "small.npy", x[:2_011])
    np.save(folder / "y.npy", group.astype(np.int32))
    words = np.array(["cat dog pet fur", "query table index row", "snow rain wind storm", "pan oven salt dough", "goal ball team win"])
    lines = [" ".join(rng.permutation(words[g].split())[:3]) for g in group]
    (folder / "titles.csv").write_text("t\n" + "\n".join(lines) + "\n")
    return folder


def arguments(name, folder):
    head, *options = COMMANDS[name]
    table = "titles.csv" if name == "text" else "small.npy" if name in SMALL else "x.npy"
    return [head, folder / table, *options, *(["--labels", folder / "y.npy"] if head == "evaluate" else [])]


@pytest.fixture(scope="module")
def usual(table, tmp_path_factory):
    """What each command says with the usual settings, made when it is first asked for."""
    made = {}

    def of(name):
        if name not in made:
            out = tmp_path_factory.mktemp("usual") / name
            done(*arguments(name, table), "-o", out)
            made[name] = out
        return made[name]

    return of


def close(a, b, where="result"):
    """Equal but for rounding: the same keys, lengths, words and whole numbers; other numbers within 1e-9 of their size."""
    if isinstance(a, dict):
        assert a.keys() == b.keys(), where
        for key in a:
            close(a[key], b[key], f"{where}.{key}")
    elif isinstance(a, list):
        assert len(a) == len(b), where
        for i, (x, y) in enumerate(zip(a, b)):
            close(x, y, f"{where}[{i}]")
    elif isinstance(a, float) and isinstance(b, (int, float)):
        assert abs(a - b) <= 1e-9 * max(abs(a), abs(b), 1e-3), (where, a, b)
    else:
        assert a == b, (where, a, b)


def same_rows(mine, other):
    for path in sorted(mine.glob("*.npy")):
        a, b = np.load(path), np.load(other / path.name)
        assert a.shape == b.shape and a.dtype == b.dtype, path.name
        if path.name in EXACT:
            assert np.array_equal(a, b), path.name
        else:
            assert np.allclose(a, b, rtol=1e-9, atol=1e-9 * np.abs(a).max(initial=0)), path.name
    for name in ("itemsets.csv", "rules.csv"):  # of counts alone
        if (mine / name).exists():
            assert (mine / name).read_bytes() == (other / name).read_bytes(), name


@pytest.mark.parametrize("rows", [1, 7, 8193])
@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in CHAOTIC])
def test_other_leaves(name, rows, table, usual, tmp_path):
    out = tmp_path / "out"
    ended = done(*arguments(name, table), "-o", out, env={"SLUICE_LEAF_ROWS": str(rows)})
    close(json.loads((usual(name) / "summary.json").read_text())["result"], ended.result)
    same_rows(usual(name), out)


@pytest.mark.parametrize("target", ["scalar", "avx2", "avx3"])
@pytest.mark.parametrize("name", COMMANDS)
def test_other_instruction_sets(name, target, table, usual, tmp_path):
    ended = run(*arguments(name, table), "-q", "-o", tmp_path / "out", env={"SLUICE_TARGET": target})
    if ended.code == 2 and "SLUICE_TARGET" in ended.err:
        pytest.skip(f"this machine has no {target}")
    assert ended.code == 0, ended.err
    assert manifest_hash(tmp_path / "out") == manifest_hash(usual(name))


@pytest.mark.parametrize("name", COMMANDS)
def test_rows_that_stay_on_the_disk(name, table, usual, tmp_path):
    """With the least memory nothing is kept; with odd leaves beside it, nothing but rounding changes."""
    done(*arguments(name, table), "--memory", "32M", "--threads", 3, "-o", tmp_path / "out")
    assert manifest_hash(tmp_path / "out") == manifest_hash(usual(name))
    done(*arguments(name, table), "--memory", "32M", "--threads", 3, "-o", tmp_path / "odd", env={"SLUICE_LEAF_ROWS": "37"})
    if name not in CHAOTIC:
        same_rows(usual(name), tmp_path / "odd")


def test_an_unknown_instruction_set_is_refused(table, tmp_path):
    ended = run("pca", table / "x.npy", "-o", tmp_path / "out", env={"SLUICE_TARGET": "abacus"})
    assert ended.code == 2 and "abacus" in ended.err and not (tmp_path / "out").exists()
