"""Writes the reference values of sluice/metrics/metrics_sklearn.h with scikit-learn's measures.

    python tests/conformance/metrics_sklearn.py > sluice/metrics/metrics_sklearn.h
"""
import warnings

import numpy as np
import sklearn
from scipy.spatial.distance import cdist
from sklearn import metrics
from sklearn.datasets import load_iris, make_blobs
from sklearn.metrics.cluster import contingency_matrix

warnings.filterwarnings("ignore")


def numbers(values):
    return ", ".join("kNone" if np.isnan(v) else repr(float(v)) for v in np.asarray(values, dtype=float).ravel())


def davies_bouldin(X, labels):
    """scikit-learn's, with distances by difference; checked against its own."""
    classes = sorted(set(labels))
    means = np.array([X[labels == c].mean(0) for c in classes])
    spread = np.array([cdist(X[labels == c], [m]).mean() for c, m in zip(classes, means)])
    apart = cdist(means, means)
    apart[apart == 0] = np.inf
    value = ((spread[:, None] + spread) / apart).max(1).mean()
    assert abs(value - metrics.davies_bouldin_score(X - X.mean(0), labels)) < 1e-6
    return value


def internal(name, X, labels):
    X, labels = np.asarray(X, dtype=float), np.asarray(labels)
    kept = labels >= 0
    Y, L = X[kept], labels[kept]
    ok = 2 <= len(set(L)) < len(L)
    wcss = sum(((Y[L == c] - Y[L == c].mean(0)) ** 2).sum() for c in set(L))
    # From distances by difference: scikit-learn's own, by |x|^2 - 2 x y + |y|^2, lose digits between near rows and far from the origin.
    distances = [cdist(Y, Y), cdist(Y, Y, "sqeuclidean"), np.clip(metrics.pairwise_distances(Y, metric="cosine"), 0, None)]
    value = [metrics.silhouette_score(D, L, metric="precomputed") if ok else np.nan for D in distances]
    by_row = metrics.silhouette_samples(distances[0], L, metric="precomputed") if ok else np.full(len(L), np.nan)
    clusters = [by_row[L == c].mean() for c in sorted(set(L))]
    others = [davies_bouldin(Y, L), metrics.calinski_harabasz_score(Y, L)] if ok else [np.nan, np.nan]
    print(f'    {{"{name}", {X.shape[1]}, {{{numbers(X)}}},\n     {{{", ".join(str(int(v)) for v in labels)}}},')
    print(f"     {numbers(value)}, {numbers(others)}, {numbers([wcss])}, {{{numbers(clusters)}}}}},")


def agreement(name, truth, labels):
    truth, labels = np.asarray(truth), np.asarray(labels)
    purity = contingency_matrix(truth, labels).max(0).sum() / len(truth)
    values = [metrics.adjusted_rand_score(truth, labels), metrics.normalized_mutual_info_score(truth, labels),
              metrics.adjusted_mutual_info_score(truth, labels), *metrics.homogeneity_completeness_v_measure(truth, labels), purity]
    print(f'    {{"{name}", {{{", ".join(str(int(v)) for v in truth)}}},\n     {{{", ".join(str(int(v)) for v in labels)}}},\n     {numbers(values)}}},')


rng = np.random.default_rng(5)
iris = load_iris()
few = iris.data[::3]
of_few = iris.target[::3]
blobs, of_blobs = make_blobs(60, n_features=3, centers=4, random_state=3)

print(f"// Made by tests/conformance/metrics_sklearn.py with scikit-learn {sklearn.__version__}; not to be edited by hand.")
print("// clang-format off\n#pragma once\n#include <cstdint>\n#include <limits>\n#include <vector>\n\nnamespace sluice::sklearn {\n")
print("inline const double kNone = std::numeric_limits<double>::quiet_NaN();\n")
print("struct Internal {\n  const char* name;\n  int64_t cols;\n  std::vector<double> rows;\n  std::vector<int32_t> labels;")
print("  double silhouette, squared, cosine, davies_bouldin, calinski_harabasz, wcss;\n  std::vector<double> clusters;\n};")
print("inline const std::vector<Internal> kInternal = {")
internal("iris by kind", few, of_few)
internal("iris by chance, labels with holes", few, rng.choice([0, 7, 1000000], len(few)))
internal("blobs with noise and a cluster of one", blobs, np.where(np.arange(60) < 6, -1, np.where(np.arange(60) == 9, 4, of_blobs)))
internal("far from the origin", blobs + 1e6, of_blobs)
internal("duplicates", np.repeat(few[:6], 3, axis=0), np.arange(18) // 6)
internal("one cluster", few[:8], np.zeros(8))
internal("every row its own", few[:5], np.arange(5))
internal("a row of zeros", np.vstack([np.zeros(4), few[:9]]), [0, 0, 0, 0, 1, 1, 1, 1, 1, 1])
print("};\n\nstruct Agreement {\n  const char* name;\n  std::vector<int64_t> truth, labels;")
print("  double ari, nmi, ami, homogeneity, completeness, v_measure, purity;\n};")
print("inline const std::vector<Agreement> kAgreement = {")
agreement("equal up to names", [0, 0, 1, 1, 2, 2], [5, 5, -1, -1, 9, 9])
agreement("one against many", [0, 0, 0, 0], [0, 1, 2, 3])
agreement("both one", [3, 3, 3], [1, 1, 1])
agreement("chance", rng.integers(0, 5, 120), rng.integers(0, 8, 120))
agreement("noisy", of_blobs, np.where(rng.random(60) < 0.3, rng.integers(-1, 6, 60), of_blobs))
agreement("coarser", of_blobs, of_blobs // 2)
agreement("every row its own", np.arange(7), np.arange(7)[::-1])
agreement("independent", [0, 0, 1, 1], [0, 1, 0, 1])
agreement("large names", rng.integers(0, 4, 80) * 10**15, rng.integers(0, 3, 80) - 5 * 10**14)
print("};\n\n}  // namespace sluice::sklearn")
