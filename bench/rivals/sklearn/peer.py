"""scikit-learn behind the interface of bench/rivals: fit(work, rows, options, threads) gives arrays to save, and facts."""

import warnings

import joblib
import numpy as np
from sklearn.cluster import DBSCAN, HDBSCAN, KMeans
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors
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


def svd(rows, options, _):
    # arpack is its exact one; randomized with its usual passes leaves the last singular values short.
    model = TruncatedSVD(options["components"], algorithm="arpack", random_state=0)
    return {"embedding": model.fit_transform(rows), "singular": model.singular_values_}, {}


def hdbscan(rows, options, threads):
    # It counts the row itself among min_samples, as we do.
    size = options["min_cluster_size"]
    model = HDBSCAN(min_cluster_size=size, min_samples=size, n_jobs=threads, copy=False).fit(rows)
    return {"labels": model.labels_}, {}


def neighbors(rows, options, threads):
    distances, indices = NearestNeighbors(n_neighbors=options["k"], algorithm="brute", n_jobs=threads).fit(rows).kneighbors()
    return {"indices": indices, "distances": distances}, {}


def gmm(rows, options, _):
    columns = rows.shape[1]
    starts = {name: np.load(options[name]).astype(rows.dtype) for name in ("weights", "means", "precisions")}
    if options["kind"] == "full":
        starts["precisions"] = starts["precisions"].reshape(-1, columns, columns)
    model = GaussianMixture(
        options["k"],
        covariance_type=options["kind"],
        tol=0.0,
        max_iter=options["passes"],
        weights_init=starts["weights"].ravel(),
        means_init=starts["means"],
        precisions_init=starts["precisions"],
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # ten passes are all it is asked for
        labels = model.fit_predict(rows)
    found = {"weights": model.weights_, "means": model.means_, "covariances": model.covariances_}
    return found | {"labels": labels}, {"passes": int(model.n_iter_)}


def isolation_forest(rows, options, threads):
    # Without these threads it scores with one.
    with joblib.parallel_config("threading", n_jobs=threads):
        model = IsolationForest(n_jobs=threads, random_state=options.get("seed", 0)).fit(rows)
        return {"scores": -model.score_samples(rows)}, {}


def lof(rows, options, threads):
    # Brute force is its quickest from some ten columns on.
    model = LocalOutlierFactor(n_neighbors=options["k"], algorithm="brute", n_jobs=threads).fit(rows)
    return {"scores": -model.negative_outlier_factor_}, {}


WORKS = {
    "kmeans": kmeans,
    "pca": pca,
    "svd": svd,
    "dbscan": dbscan,
    "hdbscan": hdbscan,
    "scale": scale,
    "neighbors": neighbors,
    "gmm": gmm,
    "isolation_forest": isolation_forest,
    "lof": lof,
}


def fit(work, rows, options, threads):
    with threadpool_limits(threads):
        return WORKS[work](rows, options, threads)
