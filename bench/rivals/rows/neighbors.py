"""The nearest rows of every row: exactly, and by nearest neighbour descent."""

import numpy as np

from .row import Row, mixture, reads


def make_rows(folder):
    np.save(folder / "x.npy", mixture(100_000, 128, 200, 0.5, 9))
    return {"data": str(folder / "x.npy"), "k": 15, "n": 100_000, "d": 128}


def exact_command(options):
    return ["neighbors", options["data"], "--n-neighbors", options["k"]]


def descent_command(options):
    return [*exact_command(options), "--algorithm", "nn_descent", "--seed", options.get("seed", 0)]


def listed(x, who, indices):
    """Distances of some rows to their listed neighbours, ascending, by differences in double precision."""
    return np.sort(np.linalg.norm(x[who, None, :].astype(np.float64) - x[np.asarray(indices[who])].astype(np.float64), axis=2), axis=1)


def drawn(x):
    return np.sort(np.random.default_rng(10).choice(len(x), 2000, replace=False))


def check_exact(options, ours, theirs):
    """Ours may be nowhere longer than a peer's list. The peers compute in float32 and may be longer by its rounding."""
    x = np.load(options["data"])
    who = drawn(x)
    a, b = listed(x, who, ours["indices"]), listed(x, who, theirs["indices"])
    worse, better = float(np.max(a / b - 1)), float(np.max(b / a - 1))
    own = not np.any(np.asarray(theirs["indices"][who]) == who[:, None])
    words = f"distances of 2,000 rows: ours longer by at most {worse:.1e} (allowed 1e-12), peer by {better:.1e} (allowed 1e-05)"
    return own and worse <= 1e-12 and better <= 1e-5, words


def recall(x, who, true, indices):
    """The share of the listed neighbours that are as near as the true last one."""
    return float(np.mean(listed(x, who, indices) <= true[:, -1:] * (1 + 1e-9)))


def true_distances(x, who, k):
    wide, found = x.astype(np.float64), []
    norms = (wide**2).sum(axis=1)
    for part in np.array_split(who, 20):
        squares = norms - 2.0 * (wide[part] @ wide.T)
        squares[np.arange(len(part)), part] = np.inf
        nearest = np.argpartition(squares, k, axis=1)[:, :k]
        found.append(np.sort(np.linalg.norm(wide[part][:, None, :] - wide[nearest], axis=2), axis=1))
    return np.concatenate(found)


def check_recall(options, ours, theirs):
    x = np.load(options["data"])
    who = drawn(x)
    true = true_distances(x, who, options["k"])
    a, b = (np.mean([recall(x, who, true, one["indices"]) for one in side]) for side in (ours, theirs))
    return a >= b - 0.002, f"recall of 2,000 rows over {len(ours)} seeds {a:.4f} and {b:.4f} (allowed 0.002 less)"


def exact_limit(options, _):
    return "sgemm", 2.0 * options["n"] * options["n"] * options["d"]


READ = reads(indices="indices.npy", distances="distances.npy")

ROWS = [
    Row("KN", "exact 15 nearest, 100k x 128", "neighbors", ("faiss", "sklearn"), make_rows, exact_command, READ, check_exact, exact_limit),
    Row(
        "ND",
        "15 nearest by descent, 100k x 128",
        "descent",
        ("pynndescent",),
        make_rows,
        descent_command,
        READ,
        check_recall,
        seeded=True,
    ),
]
