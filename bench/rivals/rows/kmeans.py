"""k-means: centres given, and k-means++ over several seeds."""

import numpy as np

from .row import Row, mixture, read_tensor, reads


def make_kmeans(rows, columns, k, spread, given):
    def make(folder):
        x = mixture(rows, columns, k, spread, 1)
        np.save(folder / "x.npy", x)
        options = {"data": str(folder / "x.npy"), "k": k, "n": rows, "d": columns}
        if not given:
            return options | {"passes": 300, "tol": 1e-4}
        np.save(folder / "centers.npy", x[np.random.default_rng(2).choice(rows, k, replace=False)])
        return options | {"centers": str(folder / "centers.npy"), "passes": 10, "tol": 0.0}

    return make


def kmeans_command(options):
    words = ["kmeans", options["data"], "--n-clusters", options["k"], "--n-init", 1, "--max-iter", options["passes"]]
    words += ["--tol", options["tol"], "--init", options.get("centers", "k-means++"), "--seed", options.get("seed", 0)]
    return words + ["--assignments", "off"]


def inertia(x, centers):
    """Summed squared distance to the nearest centre, by differences in double precision, whoever made the centres."""
    total = 0.0
    c = centers.astype(np.float64)
    for begin in range(0, len(x), 16384):
        part = x[begin : begin + 16384].astype(np.float64)
        nearest = nearest_to(part, c)
        total += float(((part - c[nearest]) ** 2).sum())
    return total


def nearest_to(part, c):
    return ((c * c).sum(1) - 2.0 * (part @ c.T)).argmin(1)


def plain_passes(x, c, passes):
    """Lloyd's passes in double precision with nothing clever: what both sides are held to."""
    for _ in range(passes):
        sums, counts = np.zeros_like(c), np.zeros(len(c))
        for begin in range(0, len(x), 16384):
            part = x[begin : begin + 16384].astype(np.float64)
            nearest = nearest_to(part, c)
            counts += np.bincount(nearest, minlength=len(c))
            for column in range(x.shape[1]):
                sums[:, column] += np.bincount(nearest, part[:, column], len(c))
        c = sums / counts[:, None]
    return c


def check_given(options, ours, theirs):
    """Ours must give the plain passes' inertia to 1e-6. The peers compute in float32, whose rounding moves rows between near centres."""
    x = np.load(options["data"], mmap_mode="r")
    plain = inertia(x, plain_passes(x, np.load(options["centers"]).astype(np.float64), options["passes"]))
    gaps = [inertia(x, side["centers"]) / plain - 1.0 for side in (ours, theirs)]
    passes = ours["facts"]["passes"] == theirs["facts"]["passes"] == options["passes"]
    words = f"inertia against plain passes in float64: ours {gaps[0]:+.1e} (allowed 1e-06), peer {gaps[1]:+.1e} (allowed 1e-04)"
    return passes and abs(gaps[0]) <= 1e-6 and abs(gaps[1]) <= 1e-4, words + f", passes {ours['facts']['passes']} both"


def check_seeded(options, ours, theirs):
    """Other random numbers, other local optimum: the means over all seeds are compared."""
    x = np.load(options["data"], mmap_mode="r")
    a = np.mean([inertia(x, one["centers"]) for one in ours])
    b = np.mean([inertia(x, one["centers"]) for one in theirs])
    passes = [float(np.mean([one["facts"]["passes"] for one in side])) for side in (ours, theirs)]
    gap = a / b - 1.0
    words = f"mean inertia over {len(ours)} seeds {a:.7g} and {b:.7g} ({gap:+.2e}, allowed +5e-03)"
    return gap <= 5e-3, words + f", mean passes {passes[0]:.1f} and {passes[1]:.1f}"


def kmeans_limit(options, facts):
    passes = facts["passes"] + 1  # the last gives labels to the last centres
    work = 2.0 * options["n"] * options["k"] * options["d"] * passes
    if "centers" not in options:
        work += 2.0 * options["n"] * options["d"] * options["k"] * (2 + int(np.log(options["k"])))
    return "sgemm", work


def read_kmeans(folder):
    return reads(labels="labels.npy")(folder) | {"centers": read_tensor(folder / "model.safetensors", "cluster_centers")}


def kmeans_row(id_, title, peers, make, check, seeded=False):
    return Row(id_, title, "kmeans", peers, make, kmeans_command, read_kmeans, check, kmeans_limit, seeded)


BOTH = ("sklearn", "faiss")

# The second k-means is harder: clouds overlap so much that few rows are clearly some centre's.
ROWS = [
    kmeans_row("KM", "k-means 200k x 64, k 256, 10 passes, centres given", BOTH, make_kmeans(200_000, 64, 256, 0.5, True), check_given),
    kmeans_row("KM", "the same, clouds that overlap more", BOTH, make_kmeans(200_000, 64, 256, 0.25, True), check_given),
    kmeans_row("KS", "k-means 4M x 2, k 10, 10 passes, centres given", BOTH, make_kmeans(4_000_000, 2, 10, 3.0, True), check_given),
    kmeans_row("KP", "k-means++ and fit 50k x 32, k 64, one start", BOTH[:1], make_kmeans(50_000, 32, 64, 0.5, False), check_seeded, True),
]
