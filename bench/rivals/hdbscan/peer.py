"""hdbscan behind the interface of bench/rivals: fit(work, rows, options, threads) gives arrays to save, and facts."""

import hdbscan


def fit(_, rows, options, threads):
    # It does not count the row itself among min_samples.
    size = options["min_cluster_size"]
    model = hdbscan.HDBSCAN(
        min_cluster_size=size, min_samples=size - 1, algorithm="boruvka_kdtree", approx_min_span_tree=False, core_dist_n_jobs=threads
    ).fit(rows)
    return {"labels": model.labels_}, {}
