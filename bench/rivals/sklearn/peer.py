"""scikit-learn behind the interface of bench/rivals: fit(work, rows, options, threads) gives arrays to save, and facts."""

import numpy as np
from sklearn.cluster import DBSCAN, KMeans
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits


def kmeans(rows, options, _):
    init = np.load(options["centers"]).astype(rows.dtype) if "centers" in options else "k-means++"
    # copy_x=False: the rows are ours to centre in place, which saves it a copy. lloyd is its quickest here.
    model = KMeans(
        options["k"],
        init=init,
        n_init=1,
        max_iter=options["passes"],
        tol=options["tol"],
        copy_x=False,
        random_state=options.get("seed", 0),
    ).fit(rows)
    return {"centers": model.cluster_centers_, "labels": model.labels_}, {"passes": int(model.n_iter_)}


def pca(rows, options, _):
    model = PCA(options["components"], svd_solver="covariance_eigh", copy=False)
    return {"embedding": model.fit_transform(rows), "variance": model.explained_variance_}, {}


def dbscan(rows, options, threads):
    model = DBSCAN(eps=options["eps"], min_samples=options["min_samples"], n_jobs=threads).fit(rows)
    return {"labels": model.labels_}, {}


def scale(rows, _, __):
    return {"scaled": StandardScaler(copy=False).fit_transform(rows)}, {}


WORKS = {"kmeans": kmeans, "pca": pca, "dbscan": dbscan, "scale": scale}


def fit(work, rows, options, threads):
    with threadpool_limits(threads):
        return WORKS[work](rows, options, threads)
