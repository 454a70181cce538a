"""Maps of real pictures: t-SNE and UMAP of MNIST by its 50 principal components."""

import gzip
import sys

import numpy as np

from .row import ROOT, Row, real, reads


def pictures(rows):
    parts = []
    for name in ("train", "t10k"):
        with gzip.open(real("images", "mnist", f"{name}-images-idx3-ubyte.gz")) as file:
            parts.append(np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784))
    return np.concatenate(parts)[:rows].astype(np.float64)


def make_pictures(rows):
    def make(folder):
        x = pictures(rows)
        x -= x.mean(axis=0)
        directions = np.linalg.eigh(x.T @ x)[1][:, :-51:-1]
        np.save(folder / "x.npy", x @ directions)
        return {"data": str(folder / "x.npy"), "perplexity": 30, "steps": 1000, "k": 15}

    return make


def tsne_command(options):
    return ["tsne", options["data"], "--perplexity", options["perplexity"], "--max-iter", options["steps"]]


def umap_command(options):
    return ["umap", options["data"], "--n-neighbors", options["k"]]


def divergence(p, made, who):
    """Kullback-Leibler divergence of a map, exact but for its normaliser, which rows drawn alike for every map stand for."""
    total = 0.0
    norms = (made**2).sum(axis=1)
    for part in np.array_split(who, len(who) // 200):
        squares = np.maximum(norms[part, None] + norms - 2.0 * (made[part] @ made.T), 0.0)
        total += (1.0 / (1.0 + squares)).sum() - len(part)
    total *= len(made) / len(who)
    near = 1.0 + ((made[p.row] - made[p.col]) ** 2).sum(axis=1)
    some = p.data > 0
    return float((p.data[some] * np.log(p.data[some] * near[some] * total)).sum())


def check_divergence(options, ours, theirs):
    """What each program prints differs in its definition, so both maps are evaluated by one evaluator on the exact neighbours."""
    sys.path.append(str(ROOT / "tests/conformance"))
    from tsne_divergence import affinities

    x = np.load(options["data"])
    p = affinities(x, options["perplexity"])
    who = np.random.default_rng(15).choice(len(x), min(5000, len(x)), replace=False)
    a, b = (divergence(p, np.array(side["embedding"], dtype=np.float64), who) for side in (ours, theirs))
    return a <= b * 1.01, f"divergence by one evaluator {a:.4f} and {b:.4f} (allowed 1 % more), {options['steps']} steps each"


def trustworthiness(x, made, who, k):
    """Venna and Kaski's measure, over rows drawn alike for every map: how far from a row lie those that the map puts next to it."""
    penalty, n = 0, len(x)
    for part in np.array_split(who, len(who) // 100):
        places = np.arange(len(part))
        far = (x**2).sum(axis=1) - 2.0 * (x[part] @ x.T)
        far[places, part] = -np.inf
        near = (made**2).sum(axis=1) - 2.0 * (made[part] @ made.T)
        near[places, part] = np.inf
        chosen = np.argpartition(near, k, axis=1)[:, :k]
        rank = np.argsort(np.argsort(far, axis=1), axis=1)  # a row itself has rank 0
        penalty += np.maximum(np.take_along_axis(rank, chosen, axis=1) - k, 0).sum()
    return 1.0 - 2.0 * penalty / (len(who) * k * (2.0 * n - 3.0 * k - 1.0))


def check_trust(options, ours, theirs):
    x = np.load(options["data"])
    who = np.random.default_rng(16).choice(len(x), min(2000, len(x)), replace=False)
    a, b = (trustworthiness(x, np.array(side["embedding"], dtype=np.float64), who, options["k"]) for side in (ours, theirs))
    return a >= b - 0.005, f"trustworthiness of 2,000 rows at {options['k']} neighbours {a:.4f} and {b:.4f} (allowed 0.005 less)"


def map_rows(id_, name, work, peer, command, check):
    """The whole set, and 20,000 of its rows with --quick: the slowest rows of all."""
    read = reads(embedding="embedding.npy")
    for rows, words, pairs, quick in ((70_000, "70k", (3, 3), False), (20_000, "20k", (2, 2), True)):
        title = f"{name} of MNIST {words} x 50"
        yield Row(id_, title, work, (peer,), make_pictures(rows), command, read, check, pairs=pairs, when=(quick,))


ROWS = [
    *map_rows("TS", "t-SNE", "tsne", "opentsne", tsne_command, check_divergence),
    *map_rows("UM", "UMAP", "umap", "umap", umap_command, check_trust),
]
