"""faiss behind the interface of bench/rivals: fit(work, rows, options, threads) gives arrays to save, and facts."""

import faiss
import numpy as np


def kmeans(rows, options, _):
    # Without the last option faiss fits a sample of 256 rows a centre.
    model = faiss.Kmeans(
        rows.shape[1], options["k"], niter=options["passes"], max_points_per_centroid=10**9, min_points_per_centroid=1, verbose=False
    )
    model.train(rows, init_centroids=np.load(options["centers"]).astype(np.float32))
    # Labels to the last centres, as the others give them.
    _, labels = model.index.search(rows, 1)
    return {"centers": model.centroids, "labels": labels.ravel()}, {"passes": options["passes"]}


WORKS = {"kmeans": kmeans}


def fit(work, rows, options, threads):
    faiss.omp_set_num_threads(threads)
    return WORKS[work](rows, options, threads)
