"""Writes docs' reference values of the detectors: ROC AUC and average precision of PyOD and scikit-learn on ADBench's sets.

    pip install pyod scikit-learn
    python tests/conformance/anomaly_peers.py ADBENCH_FOLDER > tests/conformance/anomaly_peers.csv

Raw columns. Isolation forest: mean and standard error of ten seeds (three above 100,000 rows). Neighbour methods: sets up to 60,000 rows.
Deterministic methods are given to twelve digits.
"""
import pathlib
import sys
import warnings

import numpy as np
import pyod
import sklearn
from pyod.models.ecod import ECOD
from pyod.models.knn import KNN
from sklearn.covariance import EmpiricalCovariance
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import LocalOutlierFactor

warnings.filterwarnings("ignore")
NEIGHBOR_ROWS, FEW_SEEDS_ROWS = 60_000, 100_000


def isolation_forest(X, seed):
    return -IsolationForest(n_estimators=100, max_samples=256, random_state=seed, n_jobs=2).fit(X).score_samples(X)


def knn(method):
    return lambda X: KNN(n_neighbors=5, method=method, n_jobs=2).fit(X).decision_scores_


def lof(X):
    return -LocalOutlierFactor(n_neighbors=20, n_jobs=2).fit(X).negative_outlier_factor_


def pca_error(X):
    pca = PCA(n_components=0.9, svd_solver="full").fit(X)
    return np.linalg.norm(X - pca.inverse_transform(pca.transform(X)), axis=1)


DETERMINISTIC = {
    "ecod": ("PyOD ECOD", lambda X: ECOD().fit(X).decision_scores_, None),
    "mahalanobis": ("scikit-learn EmpiricalCovariance", lambda X: EmpiricalCovariance().fit(X).mahalanobis(X), None),
    "pca_error": ("scikit-learn PCA(0.9)", pca_error, None),
    "gmm_density": ("scikit-learn GaussianMixture(1)", lambda X: -GaussianMixture(1).fit(X).score_samples(X), None),
    "knn largest": ("PyOD KNN(5)", knn("largest"), NEIGHBOR_ROWS),
    "knn mean": ("PyOD KNN(5 mean)", knn("mean"), NEIGHBOR_ROWS),
    "knn median": ("PyOD KNN(5 median)", knn("median"), NEIGHBOR_ROWS),
    "lof": ("scikit-learn LocalOutlierFactor(20)", lof, NEIGHBOR_ROWS),
}


def main():
    print(f"# PyOD {pyod.__version__}, scikit-learn {sklearn.__version__}; made by tests/conformance/anomaly_peers.py")
    print("dataset,n,d,method,peer,roc_auc,average_precision,roc_auc_error,seeds")
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*.npz")):
        data = np.load(path)
        X, y = np.asarray(data["X"], float), data["y"].ravel()
        head = f"{path.stem},{len(X)},{X.shape[1]}"
        seeds = 3 if len(X) > FEW_SEEDS_ROWS else 10
        scores = [isolation_forest(X, seed) for seed in range(seeds)]
        auc = np.array([roc_auc_score(y, s) for s in scores])
        precision = np.mean([average_precision_score(y, s) for s in scores])
        print(f"{head},isolation_forest,scikit-learn IsolationForest,{auc.mean():.12g},{precision:.12g},{auc.std(ddof=1) / seeds**0.5:.6g},{seeds}", flush=True)
        for method, (peer, detector, most) in DETERMINISTIC.items():
            if most is not None and len(X) > most:
                continue
            s = detector(X)
            print(f"{head},{method},{peer},{roc_auc_score(y, s):.12g},{average_precision_score(y, s):.12g},,1", flush=True)


if __name__ == "__main__":
    main()
