"""The comparisons: of each its data, the command of ours, the peers, what the quality is and what limits the machine."""

import dataclasses
import json
import pathlib

import numpy as np


@dataclasses.dataclass(frozen=True)
class Row:
    """One comparison. `make` writes the data into a folder and gives the options; `check` compares two results."""

    id: str
    title: str
    work: str
    peers: tuple
    make: object  # (folder) -> options, among them "data"
    command: object  # (options) -> arguments of our program
    check: object  # (options, ours, theirs) -> (equal, words); both are results as `ours_of` and `theirs_of` read them
    limit: object  # (options, facts of ours) -> ("sgemm" | "dgemm" | "copy", operations or bytes), or None
    seeded: bool = False  # each pair takes another seed, and quality is judged over all pairs


def mixture(rows, columns, centers, spread, seed):
    """Overlapping normal clouds of unit deviation whose centres deviate by `spread`: neither trivial nor without structure."""
    rng = np.random.default_rng(seed)
    middle = rng.normal(scale=spread, size=(centers, columns)).astype(np.float32)
    return middle[rng.integers(centers, size=rows)] + rng.standard_normal((rows, columns), dtype=np.float32)


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


def make_pca(folder):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(200_000, 128)) * np.linspace(3.0, 0.5, 128)
    np.save(folder / "x.npy", x @ np.linalg.qr(rng.normal(size=(128, 128)))[0])
    return {"data": str(folder / "x.npy"), "components": 32, "n": 200_000, "d": 128}


def pca_command(options):
    return ["pca", options["data"], "--n-components", options["components"], "--assignments", "off"]


def check_pca(_, ours, theirs):
    gap = float(np.max(np.abs(ours["variance"] - theirs["variance"]) / theirs["variance"]))
    a, b = np.abs(ours["embedding"]), np.abs(theirs["embedding"])
    apart = float(np.max(np.abs(a - b)) / np.max(b))
    words = f"explained variance differs by {gap:.1e} (allowed 1e-06), embedding up to sign by {apart:.1e} (allowed 1e-06)"
    return gap <= 1e-6 and apart <= 1e-6, words


def pca_limit(options, _):
    n, d = options["n"], options["d"]
    return "dgemm", n * d * (d + 1.0) + 2.0 * n * d * options["components"]


def make_dbscan(rows, columns, eps, min_samples):
    """Blobs of several sizes over a thin uniform ground, so that there is noise and clusters of differing density."""

    def make(folder):
        rng = np.random.default_rng(4)
        ground = rows // 10
        which = rng.integers(40, size=rows - ground)
        middle, width = rng.uniform(0, 100, size=(40, columns)), rng.uniform(0.5, 2.5, size=40)
        blobs = middle[which] + rng.normal(size=(rows - ground, columns)) * width[which, None]
        x = np.concatenate([blobs, rng.uniform(0, 100, size=(ground, columns))])
        np.save(folder / "x.npy", x[rng.permutation(rows)])
        return {"data": str(folder / "x.npy"), "eps": eps, "min_samples": min_samples}

    return make


def dbscan_command(options):
    return ["dbscan", options["data"], "--eps", options["eps"], "--min-samples", options["min_samples"], "--assignments", "off"]


def check_dbscan(_, ours, theirs):
    a, b = ours["labels"].astype(np.int64), theirs["labels"].astype(np.int64)
    pairs = np.unique(np.stack([a, b]), axis=1)
    one_to_one = len(np.unique(pairs[0])) == pairs.shape[1] == len(np.unique(pairs[1]))
    noise = bool(np.array_equal(a < 0, b < 0))
    words = f"clusters {a.max() + 1} and {b.max() + 1}, noise {(a < 0).sum()} and {(b < 0).sum()}"
    return one_to_one and noise, words + (", labels equal up to renumbering" if one_to_one and noise else ", labels DIFFER")


def make_scale(folder):
    rng = np.random.default_rng(5)
    x = rng.normal(size=(1_000_000, 32))
    x *= rng.uniform(0.1, 50.0, 32)
    x += rng.normal(scale=100.0, size=32)
    np.save(folder / "x.npy", x)
    return {"data": str(folder / "x.npy"), "n": 1_000_000, "d": 32}


def check_scale(_, ours, theirs):
    gap = float(np.max(np.abs(ours["scaled"] - theirs["scaled"])))
    return gap <= 1e-9, f"scaled values differ by at most {gap:.1e} (allowed 1e-09)"


def scale_limit(options, _):
    return "copy", 2.0 * 8 * options["n"] * options["d"]


def scale_command(options):
    return ["preprocess", options["data"], "--scale", "standard", "--assignments", "off"]


# Names of our files for what a peer gives.
OUR_ARRAYS = {
    "kmeans": {"labels": "labels.npy"},
    "dbscan": {"labels": "labels.npy"},
    "pca": {"embedding": "embedding.npy"},
    "scale": {"scaled": "X.npy"},
}


def ours_of(work, folder):
    """Our result, from the files of the output folder."""
    folder = pathlib.Path(folder)
    result = {name: np.load(folder / file, mmap_mode="r") for name, file in OUR_ARRAYS[work].items() if (folder / file).exists()}
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["result"]
    result["facts"] = {"passes": summary["n_iter"]} if "n_iter" in summary else {}
    if work == "pca":
        result["variance"] = np.array(summary["explained_variance"])
    if work == "kmeans":
        result["centers"] = read_tensor(folder / "model.safetensors", "cluster_centers")
    return result


def read_tensor(path, name):
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    entry = json.loads(data[8 : 8 + size])[name]
    begin, end = entry["data_offsets"]
    kind = {"F64": np.float64, "F32": np.float32}[entry["dtype"]]
    return np.frombuffer(data[8 + size + begin : 8 + size + end], kind).reshape(entry["shape"])


def theirs_of(folder, facts):
    return {path.stem: np.load(path, mmap_mode="r") for path in pathlib.Path(folder).glob("*.npy")} | {"facts": facts}


BOTH = ("sklearn", "faiss")
ONE = ("sklearn",)


def kmeans_row(id_, title, peers, make, check, seeded=False):
    return Row(id_, title, "kmeans", peers, make, kmeans_command, check, kmeans_limit, seeded)


def dbscan_row(title, make):
    return Row("DB", title, "dbscan", ONE, make, dbscan_command, check_dbscan, lambda *_: None)


# The second k-means is harder: clouds overlap so much that few rows are clearly some centre's.
ROWS = [
    kmeans_row("KM", "k-means 200k x 64, k 256, 10 passes, centres given", BOTH, make_kmeans(200_000, 64, 256, 0.5, True), check_given),
    kmeans_row("KM", "the same, clouds that overlap more", BOTH, make_kmeans(200_000, 64, 256, 0.25, True), check_given),
    kmeans_row("KS", "k-means 4M x 2, k 10, 10 passes, centres given", BOTH, make_kmeans(4_000_000, 2, 10, 3.0, True), check_given),
    kmeans_row("KP", "k-means++ and fit 50k x 32, k 64, one start", ONE, make_kmeans(50_000, 32, 64, 0.5, False), check_seeded, True),
    Row("PC", "PCA 200k x 128, 32 components, with the embedding", "pca", ONE, make_pca, pca_command, check_pca, pca_limit),
    dbscan_row("DBSCAN 100k x 2", make_dbscan(100_000, 2, 0.4, 10)),
    dbscan_row("DBSCAN 40k x 3", make_dbscan(40_000, 3, 1.0, 10)),
    Row("SC", "standard scaling 1M x 32", "scale", ONE, make_scale, scale_command, check_scale, scale_limit),
]
