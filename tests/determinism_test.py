"""One manifest for any threads, ranks, formats, memory and instruction sets.

By default a cover in which every pair of settings meets; SLUICE_MATRIX=full runs the whole product and prints a table.
"""
import itertools
import os
import shutil

import pytest

from sluice_program import done, manifest_hash, needs_mpirun, needs_program, run, write_csv

np = pytest.importorskip("numpy")

FULL = os.environ.get("SLUICE_MATRIX") == "full"
ROWS, COLS = 9001, 6

COMMANDS = {
    "kmeans": ["kmeans", "--n-clusters", 7],
    "kmeans-cosine": ["kmeans", "--n-clusters", 7, "--metric", "cosine"],
    "kmeans-manhattan": ["kmeans", "--n-clusters", 5, "--metric", "manhattan", "--n-init", 2],
    "kmeans-parallel": ["kmeans", "--n-clusters", 40, "--init", "k-means-parallel"],
    "kmeans-minibatch": ["kmeans", "--n-clusters", 7, "--mini-batch", "--n-init", 1],
    "pca": ["pca", "--n-components", 3],
    "dbscan": ["dbscan", "--eps", 0.9, "--min-samples", 8],
    "preprocess": ["preprocess", "--scale", "standard", "--outliers", "winsorize"],
    "choose-k": ["choose-k", "--k-max", 8, "--sample", 400, "--n-init", 1],
    "run": ["run"],
    "select": ["select", "--budget", 40, "--n-init", 1],
    "svd": ["svd", "--n-components", 3],
    "random-projection": ["random-projection", "--n-components", 3],
    "neighbors": ["neighbors", "--n-neighbors", 7],
    "neighbors-descent": ["neighbors", "--n-neighbors", 7, "--algorithm", "nn_descent"],
    "neighbors-radius": ["neighbors", "--radius", 0.3],
    "tsne": ["tsne", "--perplexity", 2, "--max-iter", 30, "--method", "exact"],
    "hdbscan": ["hdbscan", "--min-cluster-size", 20],
    "gmm": ["gmm", "--n-components", 7, "--max-iter", 10, "--n-samples", 50],
    "apriori": ["apriori", "--min-support", 0.05, "--rules", "--min-confidence", 0.3],
    "eclat": ["eclat", "--min-support", 0.05, "--rules", "--min-confidence", 0.3],
    "fpgrowth": ["fpgrowth", "--min-support", 0.05, "--rules", "--min-confidence", 0.3],
    **{f"anomaly-{method}": ["anomaly", "--method", method, "--contamination", 0.02, *more]
       for method, more in {"isolation_forest": [], "lof": [], "knn": [], "ecod": [], "mahalanobis": [], "pca_error": [], "gmm_density": [],
                            "dbscan_noise": ["--eps", 0.9], "hdbscan_outliers": [], "ensemble": []}.items()},
}
SHORT = ("kmeans-", "anomaly-", "apriori", "fpgrowth", "svd", "random-projection", "neighbors-", "select")
THREADS, RANKS, FORMATS, MEMORY = (1, 2, 3, 8), (1, 2, 3), ("npy", "csv", "parquet"), ("plenty", "little")
# Every pair of values of two settings stands in some line.
COVER = [
    (1, 1, "npy", "plenty"), (2, 2, "csv", "plenty"), (3, 3, "parquet", "plenty"), (8, 1, "csv", "little"), (1, 2, "parquet", "little"),
    (2, 3, "npy", "little"), (3, 1, "npy", "little"), (8, 3, "parquet", "plenty"), (1, 3, "csv", "plenty"), (8, 2, "npy", "plenty"),
    (3, 2, "csv", "little"), (2, 1, "parquet", "little"),
]
# Variants share most of their way with another: every value of every setting.
SHORT_COVER = [*COVER[::2], (8, 1, "csv", "little"), (2, 3, "npy", "little")]


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """The same table in every format, and one that differs in a single value."""
    folder = tmp_path_factory.mktemp("tables")
    rng = np.random.default_rng(5)
    x = (rng.normal(size=(ROWS, COLS)) + rng.integers(0, 7, (ROWS, 1)) * 3).astype(np.float32)
    names = [f"c{i}" for i in range(COLS)]
    np.save(folder / "table.npy", x)
    write_csv(folder / "table.csv", names, x)
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.table({n: x[:, i] for i, n in enumerate(names)}), folder / "table.parquet", row_group_size=2001)
    except ImportError:
        pass
    x[-1, -1] += 0.5
    np.save(folder / "other.npy", x)
    return folder


def arguments(name, table, folder):
    """The command on a table; a pipeline file stands in for the table of `run`."""
    head, *options = COMMANDS[name]
    if head != "run":
        return [head, table, *options]
    plan = folder / "plan.yaml"
    plan.write_text(f"sluice: 1\ninput: {{path: {table}}}\nstages:\n  reduce: {{method: pca, n_components: 3}}\n  cluster: {{method: kmeans, n_clusters: 7, n_init: 1}}\n"
                    "  apply: {dedup_distance: 0.4}\n  decision: cluster\n  select: {budget: 20, n_init: 1}\n")
    return ["run", plan]


def hash_of(name, tables, tmp_path, cell):
    threads, ranks, kind, memory = cell
    table = tables / f"table.{kind}"
    if not table.exists():
        pytest.skip(f"no pyarrow to write {table.name}")
    if ranks > 1:
        needs_mpirun()
    out = tmp_path / "out"
    # With little memory the rows stay on the disk.
    limit = ["--memory", "32M"] if memory == "little" else []
    ended = run(*arguments(name, table, tmp_path), "--threads", threads, *limit, "-q", "-o", out, ranks=ranks)
    assert ended.code == 0, ended.err
    return manifest_hash(out)


@pytest.mark.parametrize("name", COMMANDS)
def test_one_manifest(name, tables, tmp_path, capsys):
    needs_program()
    cells = list(itertools.product(THREADS, RANKS, FORMATS, MEMORY)) if FULL else SHORT_COVER if name.startswith(SHORT) else COVER
    hashes = {cell: hash_of(name, tables, tmp_path, cell) for cell in cells}
    first = next(iter(hashes.values()))
    differ = [cell for cell, value in hashes.items() if value != first]
    if FULL:
        with capsys.disabled():
            print(f"\n{name:18} {len(cells) - len(differ):3} of {len(cells)} cells equal, {first[:16]}")
    assert not differ


@pytest.mark.parametrize("name", COMMANDS)
def test_another_input_gives_another_manifest(name, tables, tmp_path):
    mine = hash_of(name, tables, tmp_path, (2, 1, "npy", "plenty"))
    out = tmp_path / "other"
    done(*arguments(name, tables / "other.npy", tmp_path), "-o", out)
    assert manifest_hash(out) != mine


@pytest.mark.parametrize("target", ["scalar", "avx2", "avx3"])
@pytest.mark.parametrize("name", ["kmeans", "kmeans-cosine", "kmeans-manhattan", "pca", "dbscan", "run", "neighbors", "hdbscan", "gmm", "anomaly-isolation_forest", "anomaly-lof"])
def test_every_instruction_set(name, target, tables, tmp_path):
    out = tmp_path / "target"
    ended = run(*arguments(name, tables / "table.npy", tmp_path), "-q", "-o", out, env={"SLUICE_TARGET": target})
    if ended.code == 2 and "SLUICE_TARGET" in ended.err:
        pytest.skip(f"this machine has no {target}")
    assert ended.code == 0, ended.err
    assert manifest_hash(out) == hash_of(name, tables, tmp_path, (2, 1, "npy", "plenty"))


@pytest.mark.parametrize("name", ["kmeans", "pca", "dbscan", "preprocess"])
def test_the_seed_alone_sets_what_is_random(name, tables, tmp_path):
    args = arguments(name, tables / "table.npy", tmp_path)
    first, again = tmp_path / "a", tmp_path / "b"
    done(*args, "--seed", 3, "-o", first)
    done(*args, "--seed", 3, "-o", again)
    assert manifest_hash(first) == manifest_hash(again)


# What follows is about work that is truly shared. Small fits are made by every rank for itself; leaves given from outside, here as long as
# they always are, make the ranks share all the same.
SHARED = {
    "kmeans": ["kmeans", "--n-clusters", 7, "--n-init", 1, "--max-iter", 9],
    "kmeans-cosine": ["kmeans", "--n-clusters", 7, "--metric", "cosine", "--n-init", 1, "--max-iter", 9],
    "kmeans-manhattan": ["kmeans", "--n-clusters", 5, "--metric", "manhattan", "--n-init", 1, "--max-iter", 4],
    "kmeans-parallel": ["kmeans", "--n-clusters", 20, "--init", "k-means-parallel", "--n-init", 1, "--max-iter", 4],
    "kmeans-minibatch": ["kmeans", "--n-clusters", 7, "--mini-batch", "--n-init", 1, "--max-iter", 4],
}


@pytest.mark.parametrize("name", SHARED)
def test_ranks_that_share_small_work(name, tables, tmp_path):
    needs_mpirun()
    head, *options = SHARED[name]
    hashes = set()
    for ranks in (1, 2, 3):
        out = tmp_path / str(ranks)
        ended = run(head, tables / "table.npy", *options, "--threads", 1, "-q", "-o", out, ranks=ranks, env={"SLUICE_LEAF_ROWS": "4096"} if ranks > 1 else {})
        assert ended.code == 0, ended.err
        hashes.add(manifest_hash(out))
    assert len(hashes) == 1


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A table whose k-means every rank takes its part of and which, parsed, does not fit into the least memory."""
    folder = tmp_path_factory.mktemp("large")
    rng = np.random.default_rng(6)
    x = (rng.normal(size=(90_011, 12)) + rng.integers(0, 7, (90_011, 1)) * 3).round(2).astype(np.float32)
    np.save(folder / "table.npy", x)
    names = [f"c{i}" for i in range(12)]
    write_csv(folder / "table.csv", names, x)
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.table({n: x[:, i] for i, n in enumerate(names)}), folder / "table.parquet", row_group_size=17_001)
    except ImportError:
        pass
    return folder


LARGE = {
    "kmeans": ["kmeans", "--n-clusters", 100, "--max-iter", 3, "--assignments", "off"],
    "kmeans-random": ["kmeans", "--n-clusters", 100, "--init", "random", "--n-init", 2, "--max-iter", 3, "--assignments", "off"],
    "pca": ["pca", "--n-components", 3],
    "preprocess": ["preprocess", "--scale", "robust", "--outliers", "winsorize"],
}


@pytest.mark.parametrize("name", LARGE)
def test_large_work_is_shared_and_spooled(name, large, tmp_path):
    head, *options = LARGE[name]
    hashes = {}
    for threads, ranks, kind, memory in [(2, 1, "npy", "4G"), (1, 1, "csv", "32M"), (1, 2, "npy", "32M"), (2, 3, "csv", "4G"), (1, 3, "parquet", "32M")]:
        table = large / f"table.{kind}"
        if not table.exists() or (ranks > 1 and shutil.which("mpirun") is None):
            continue
        out = tmp_path / "out"
        ended = run(head, table, *options, "--threads", threads, "--memory", memory, "-q", "-o", out, ranks=ranks)
        assert ended.code == 0, ended.err
        hashes[threads, ranks, kind, memory] = manifest_hash(out)
    assert len(hashes) > 1 and len(set(hashes.values())) == 1, hashes
