"""Clusters by density: DBSCAN and HDBSCAN."""

import numpy as np

from .row import Row, reads


def make_dbscan(rows, columns, eps, min_samples):
    """Blobs of several sizes over a thin uniform ground, so that there is noise and clusters of differing density."""

    def make(folder):
        rng = np.random.default_rng(4)
        ground = rows // 10
        which = rng.integers(40, size=rows - ground)
        middle, width = rng.uniform(0, 100, size=(40, columns)), rng.uniform(0.5, 2.5, size=40)
        blobs = middle[which] + rng.normal(size=(rows - ground, columns)) * width[which, None]
        x = np.concatenate([blobs, rng.uniform(0, 100, size=(ground, columns))])
        np.save(folder / "x.npy", x[rng.permutation(rows)])
        return {"data": str(folder / "x.npy"), "eps": eps, "min_samples": min_samples}

    return make


def dbscan_command(options):
    return ["dbscan", options["data"], "--eps", options["eps"], "--min-samples", options["min_samples"], "--assignments", "off"]


def check_dbscan(_, ours, theirs):
    a, b = ours["labels"].astype(np.int64), theirs["labels"].astype(np.int64)
    pairs = np.unique(np.stack([a, b]), axis=1)
    one_to_one = len(np.unique(pairs[0])) == pairs.shape[1] == len(np.unique(pairs[1]))
    noise = bool(np.array_equal(a < 0, b < 0))
    words = f"clusters {a.max() + 1} and {b.max() + 1}, noise {(a < 0).sum()} and {(b < 0).sum()}"
    return one_to_one and noise, words + (", labels equal up to renumbering" if one_to_one and noise else ", labels DIFFER")


def make_uniform(rows, columns):
    """No clusters at all: separate blobs flatter trees that prune."""

    def make(folder):
        np.save(folder / "x.npy", np.random.default_rng(8).uniform(0, 100, size=(rows, columns)))
        return {"data": str(folder / "x.npy"), "min_cluster_size": 10}

    return make


def make_hdbscan(rows, columns):
    def make(folder):
        return {"data": make_dbscan(rows, columns, 0.0, 0)(folder)["data"], "min_cluster_size": 10}

    return make


def hdbscan_command(options):
    return ["hdbscan", options["data"], "--min-cluster-size", options["min_cluster_size"], "--assignments", "off"]


def own_spread(x, size):
    """The adjusted Rand index of hdbscan's labels with its own on the rows in another order. Core distances make equal lengths in
    the spanning tree, and which comes first there is nobody's truth."""
    import hdbscan
    from sklearn.metrics import adjusted_rand_score

    def labels(rows):
        model = hdbscan.HDBSCAN(size, size - 1, algorithm="boruvka_kdtree", approx_min_span_tree=False)
        return model.fit(rows).labels_

    order = np.random.default_rng(17).permutation(len(x))
    return float(adjusted_rand_score(labels(x)[order], labels(x[order])))


def check_hdbscan(options, ours, theirs):
    """The adjusted Rand index of the labels, noise a class of its own: 1, or no less than a library agrees with itself."""
    from sklearn.metrics import adjusted_rand_score

    a, b = np.array(ours["labels"]), np.array(theirs["labels"])
    index, own = float(adjusted_rand_score(a, b)), own_spread(np.load(options["data"]), options["min_cluster_size"])
    words = f"clusters {a.max() + 1} and {b.max() + 1}, noise {(a < 0).sum()} and {(b < 0).sum()}, adjusted Rand index {index:.5f}"
    return index >= own - 0.005, words + f", of hdbscan with itself on rows in another order {own:.5f} (allowed 0.005 less)"


def dbscan_row(title, make):
    return Row("DB", title, "dbscan", ("sklearn",), make, dbscan_command, reads(labels="labels.npy"), check_dbscan)


def hdbscan_row(title, peers, make):
    return Row("HD", title, "hdbscan", peers, make, hdbscan_command, reads(labels="labels.npy"), check_hdbscan)


# scikit-learn's HDBSCAN looks at all pairs: 250k rows would take it minutes, and the others are far quicker there.
TREES = ("fast_hdbscan", "hdbscan")

ROWS = [
    dbscan_row("DBSCAN 100k x 2", make_dbscan(100_000, 2, 0.4, 10)),
    dbscan_row("DBSCAN 40k x 3", make_dbscan(40_000, 3, 1.0, 10)),
    hdbscan_row("HDBSCAN 250k x 2, 40 blobs and noise", TREES, make_hdbscan(250_000, 2)),
    hdbscan_row("HDBSCAN 50k x 10, 40 blobs and noise", (*TREES, "sklearn"), make_hdbscan(50_000, 10)),
    hdbscan_row("HDBSCAN 250k x 2, uniform", TREES, make_uniform(250_000, 2)),
]
