"""The peers' side of quality_table.py: one fit by another library, in whatever interpreter has it. Needs no more than that library.

    python quality_peers.py PEER FOLDER PARAMETERS        # JSON; reads FOLDER/rows.npy or baskets.dat, writes FOLDER/theirs.*, prints versions
"""
import importlib.metadata
import json
import pathlib
import sys
import warnings

warnings.filterwarnings("ignore")


def numbers(folder, name="rows"):
    import numpy as np
    return np.load(folder / f"{name}.npy")


def keep(folder, **arrays):
    import numpy as np
    np.savez(folder / "theirs.npz", **arrays)


def tsne(folder, seed):
    import openTSNE
    fit = openTSNE.TSNE(n_iter=750, random_state=seed, neighbors="exact", negative_gradient_method="fft").fit(numbers(folder))
    keep(folder, map=fit)


def umap(folder, seed):
    import umap as library
    keep(folder, map=library.UMAP(random_state=seed, n_jobs=1).fit_transform(numbers(folder)))


def pca(folder, n):
    from sklearn.decomposition import PCA
    keep(folder, variance=PCA(n, svd_solver="full").fit(numbers(folder)).explained_variance_)


def svd(folder, n):
    from sklearn.decomposition import TruncatedSVD
    keep(folder, values=TruncatedSVD(n, algorithm="arpack").fit(numbers(folder)).singular_values_)


def random_projection(folder, n, kind, seed):
    from sklearn import random_projection as library
    of = {"gaussian": library.GaussianRandomProjection, "sparse": library.SparseRandomProjection}[kind]
    keep(folder, map=of(n, random_state=seed).fit_transform(numbers(folder)))


def neighbors(folder, k, metric):
    from sklearn.neighbors import NearestNeighbors
    way = "brute" if metric == "cosine" else "auto"
    distances, who = NearestNeighbors(n_neighbors=k, metric=metric, algorithm=way).fit(numbers(folder)).kneighbors()
    keep(folder, distances=distances, indices=who)


def nn_descent(folder, k, seed):
    import pynndescent
    who, _ = pynndescent.NNDescent(numbers(folder), n_neighbors=k + 1, random_state=seed).neighbor_graph
    keep(folder, indices=who)  # each row itself among its own


def hdbscan(folder, size):
    from sklearn.cluster import HDBSCAN
    ways = [HDBSCAN(min_cluster_size=size, copy=True, algorithm=way).fit_predict(numbers(folder)) for way in ("kd_tree", "brute")]
    keep(folder, labels=ways[0], other=ways[1])


def dbscan(folder, eps, size):
    from sklearn.cluster import DBSCAN
    keep(folder, labels=DBSCAN(eps=eps, min_samples=size).fit_predict(numbers(folder)))


def kmeans(folder, k, seed):
    from sklearn.cluster import KMeans
    keep(folder, inertia=KMeans(k, n_init=1, random_state=seed).fit(numbers(folder)).inertia_)


def gmm(folder, k, kind, seed):
    from sklearn.mixture import GaussianMixture
    rows = numbers(folder)
    keep(folder, likelihood=GaussianMixture(k, covariance_type=kind, random_state=seed).fit(rows).score(rows))


def baskets_of(folder):
    return [line.split() for line in open(folder / "baskets.dat", encoding="ascii")]


def itemsets(folder, miner, count):
    import fim
    found = getattr(fim, miner)(baskets_of(folder), target="s", supp=-count, zmin=1, report="a")
    (folder / "theirs.json").write_text(json.dumps([[sorted(map(int, items)), n] for items, n in found]))


def rules(folder, count, percent):
    import fim
    found = fim.arules(baskets_of(folder), supp=-count, conf=percent, zmin=2, report="a", mode="o")  # support: of the whole rule
    (folder / "theirs.json").write_text(json.dumps([[sorted(map(int, body)), int(head), n] for head, body, n in found]))


def isolation_forest(rows, seed=0):
    from sklearn.ensemble import IsolationForest
    return -IsolationForest(n_estimators=100, max_samples=256, random_state=seed).fit(rows).score_samples(rows)


def ecod(rows):
    from pyod.models.ecod import ECOD
    return ECOD().fit(rows).decision_scores_


def knn(rows):
    from pyod.models.knn import KNN
    return KNN(n_neighbors=5).fit(rows).decision_scores_


def lof(rows):
    from sklearn.neighbors import LocalOutlierFactor
    return -LocalOutlierFactor(n_neighbors=20).fit(rows).negative_outlier_factor_


def mahalanobis(rows):
    from sklearn.covariance import EmpiricalCovariance
    return EmpiricalCovariance().fit(rows).mahalanobis(rows)


def pca_error(rows):
    from sklearn.decomposition import PCA
    fit = PCA(n_components=0.9, svd_solver="full").fit(rows)
    return ((rows - fit.inverse_transform(fit.transform(rows))) ** 2).sum(axis=1) ** 0.5


def gmm_density(rows):
    from sklearn.mixture import GaussianMixture
    return -GaussianMixture(1).fit(rows).score_samples(rows)


def hdbscan_outliers(rows):
    import hdbscan as library
    return library.HDBSCAN(min_cluster_size=5, min_samples=4).fit(rows).outlier_scores_  # which does not count the row itself


def ensemble(rows, seed=0):
    from scipy.stats import rankdata
    return sum(rankdata(scores) for scores in (isolation_forest(rows, seed), ecod(rows), knn(rows)))


def detector(folder, method, **more):
    keep(folder, scores=globals()[method](numbers(folder), **more))


def tfidf_neighbors(folder, k):
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.neighbors import NearestNeighbors
    texts = json.loads((folder / "texts.json").read_text())
    rows = TfidfVectorizer(min_df=2).fit_transform(texts)
    keep(folder, distances=NearestNeighbors(n_neighbors=k, metric="cosine", algorithm="brute").fit(rows).kneighbors()[0])


def topics(folder, k, seed):
    from sklearn.cluster import KMeans
    from sklearn.feature_extraction.text import TfidfVectorizer
    texts = json.loads((folder / "texts.json").read_text())
    rows = TfidfVectorizer(min_df=5, stop_words="english").fit_transform(texts)
    keep(folder, labels=KMeans(k, n_init=1, random_state=seed).fit_predict(rows))


if __name__ == "__main__":
    peer, where, words = sys.argv[1:]
    globals()[peer](pathlib.Path(where), **json.loads(words))
