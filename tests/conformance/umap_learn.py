"""Writes the reference values of sluice/reduce/umap_reference.h with umap-learn.

    python -m venv /tmp/umap && /tmp/umap/bin/pip install umap-learn
    /tmp/umap/bin/python tests/conformance/umap_learn.py > sluice/reduce/umap_reference.h
"""
import importlib.metadata

import numpy as np
from umap.umap_ import find_ab_params, fuzzy_simplicial_set, smooth_knn_dist


def numbers(values):
    return "{" + ", ".join(repr(float(v)) for v in np.asarray(values).ravel()) + "}"


print(f"// Made by tests/conformance/umap_learn.py with umap-learn {importlib.metadata.version('umap-learn')}; not to be edited by hand.")
print("#pragma once\n#include <cstdint>\n#include <vector>\n\nnamespace sluice::umap_learn {\n")
print("struct Curve {\n  double min_dist, spread, a, b;\n};\ninline const std::vector<Curve> kCurves = {")
for min_dist, spread in [(0.1, 1.0), (0.0, 1.0), (0.5, 1.0), (0.99, 1.0), (0.1, 2.0), (0.001, 0.5)]:
    a, b = find_ab_params(spread, min_dist)
    print(f"    {{{min_dist!r}, {spread!r}, {float(a)!r}, {float(b)!r}}},")
print("};\n")

rng = np.random.default_rng(12)
X = np.round(rng.normal(size=(24, 3)) * [3, 1, 0.5] * 1024) / 1024
X[5] = X[4]  # a duplicate
k = 6
distance = np.sqrt(((X[:, None] - X[None]) ** 2).sum(-1))
order = np.argsort(distance + np.where(np.eye(len(X)) > 0, -1, 0), axis=1, kind="stable")[:, :k]
near = np.take_along_axis(distance, order, axis=1)
print(f"inline constexpr int64_t kRows = {len(X)}, kNeighbors = {k};  // the row itself counted\ninline const std::vector<double> kX = {numbers(X)};\n")
print("struct Graph {\n  double local_connectivity, set_op_mix_ratio;\n  std::vector<double> rho, sigma;\n  std::vector<double> edges;  // i, j, weight of each, i < j\n};\ninline const std::vector<Graph> kGraphs = {")
for connectivity, mix in [(1.0, 1.0), (1.5, 0.5), (2.0, 0.0)]:
    graph, sigma, rho = fuzzy_simplicial_set(X.astype(np.float32), k, np.random.RandomState(0), "euclidean", knn_indices=order.astype(np.int32), knn_dists=near.astype(np.float32), set_op_mix_ratio=mix, local_connectivity=connectivity)
    W = graph.toarray().astype(float)
    edges = [(i, j, W[i, j]) for i in range(len(X)) for j in range(i + 1, len(X)) if W[i, j] > 0]
    print(f"    {{{connectivity!r}, {mix!r}, {numbers(rho)}, {numbers(sigma)}, {numbers(edges)}}},")
    if connectivity == 1.0:
        root = np.sqrt(W.sum(axis=1))
        start = np.linalg.eigh(W / np.outer(root, root))[1][:, [-2, -3]]
        start *= np.sign(start[np.abs(start).argmax(axis=0), range(2)])
print(f"}};\n\ninline const std::vector<double> kSpectral = {numbers(start)};  // of the first graph's normalised Laplacian by numpy, n x 2, the largest entry positive")
print("\n}  // namespace sluice::umap_learn")
