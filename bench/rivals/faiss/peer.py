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


def neighbors(rows, options, _):
    # One more, as a row finds itself: where an equal row stands in its place, the last is left out.
    k = options["k"]
    index = faiss.IndexFlatL2(rows.shape[1])
    index.add(rows)
    squares, indices = index.search(rows, k + 1)
    others = indices != np.arange(len(rows))[:, None]
    others[others.all(axis=1), -1] = False
    return {"indices": indices[others].reshape(-1, k), "distances": np.sqrt(squares[others]).reshape(-1, k)}, {}


WORKS = {"kmeans": kmeans, "neighbors": neighbors}


def fit(work, rows, options, threads):
    faiss.omp_set_num_threads(threads)
    return WORKS[work](rows, options, threads)
