"""The Kullback-Leibler divergence of a t-SNE map, summed exactly in float64, whoever made the map; and the rows it is measured on."""
import gzip

import numpy as np
import scipy.sparse
from sklearn.neighbors import NearestNeighbors


def digits(folder):
    return np.loadtxt(gzip.open(folder / "images" / "digits8x8.csv.gz"), delimiter=",")[:, :-1]


def mnist(folder, rows=10_000):
    with gzip.open(folder / "images" / "mnist" / "t10k-images-idx3-ubyte.gz") as file:
        return np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784)[:rows].astype(float)


def affinities(rows, perplexity=30):
    """(P + P^T) / 2n over the 3 * perplexity nearest rows, every row's entropy log(perplexity)."""
    n, k = len(rows), min(len(rows) - 1, int(3 * perplexity))
    distances, who = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(rows).kneighbors()
    squares = distances**2 - distances.min(axis=1, keepdims=True) ** 2
    low, high, beta = np.zeros(n), np.full(n, np.inf), 1 / np.maximum(squares.mean(axis=1), 1e-300)
    for _ in range(200):
        p = np.exp(-beta[:, None] * squares)
        total = p.sum(axis=1)
        excess = np.log(total) + beta * (squares * p).sum(axis=1) / total - np.log(perplexity)
        low, high = np.where(excess > 0, beta, low), np.where(excess > 0, high, beta)
        beta = np.where(np.isinf(high), 2 * beta, (low + high) / 2)
    p = scipy.sparse.csr_matrix(((p / total[:, None]).ravel(), who.ravel(), np.arange(0, n * k + 1, k)), shape=(n, n))
    return ((p + p.T) / (2 * n)).tocoo()


def divergence(p, made):
    total = -float(len(made))
    for first in range(0, len(made), 500):
        total += (1 / (1 + ((made[first:first + 500, None, :] - made[None]) ** 2).sum(axis=2))).sum()
    near = 1 + ((made[p.row] - made[p.col]) ** 2).sum(axis=1)
    some = p.data > 0
    return float((p.data[some] * np.log(p.data[some] * near[some] * total)).sum())
