"""Linear algebra and columns: PCA, truncated SVD, scaling, the profile of a table."""

import numpy as np

from .row import Row, reads, summary_of

ONE = ("sklearn",)


def make_pca(folder):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(200_000, 128)) * np.linspace(3.0, 0.5, 128)
    np.save(folder / "x.npy", x @ np.linalg.qr(rng.normal(size=(128, 128)))[0])
    return {"data": str(folder / "x.npy"), "components": 32, "n": 200_000, "d": 128}


def pca_command(options):
    return ["pca", options["data"], "--n-components", options["components"]]


def check_pca(_, ours, theirs):
    gap = float(np.max(np.abs(ours["variance"] - theirs["variance"]) / theirs["variance"]))
    a, b = np.abs(ours["embedding"]), np.abs(theirs["embedding"])
    apart = float(np.max(np.abs(a - b)) / np.max(b))
    words = f"explained variance differs by {gap:.1e} (allowed 1e-06), embedding up to sign by {apart:.1e} (allowed 1e-06)"
    return gap <= 1e-6 and apart <= 1e-6, words


def pca_limit(options, _):
    n, d = options["n"], options["d"]
    return "dgemm", n * d * (d + 1.0) + 2.0 * n * d * options["components"]


def read_pca(folder):
    return reads(embedding="embedding.npy")(folder) | {"variance": np.array(summary_of(folder)["explained_variance"])}


def make_svd(folder):
    rng = np.random.default_rng(6)
    x = rng.normal(size=(200_000, 128)) * np.linspace(3.0, 0.5, 128)
    np.save(folder / "x.npy", x @ np.linalg.qr(rng.normal(size=(128, 128)))[0] + 0.1)
    return {"data": str(folder / "x.npy"), "components": 32, "n": 200_000, "d": 128}


def svd_command(options):
    return ["svd", options["data"], "--n-components", options["components"]]


def read_svd(folder):
    return reads(embedding="embedding.npy")(folder) | {"singular": np.array(summary_of(folder)["singular_values"])}


def check_svd(_, ours, theirs):
    gap = float(np.max(np.abs(ours["singular"] / theirs["singular"] - 1.0)))
    a, b = np.abs(ours["embedding"]), np.abs(theirs["embedding"])
    apart = float(np.max(np.abs(a - b)) / np.max(b))
    words = f"singular values differ by {gap:.1e} (allowed 1e-06), embedding up to sign by {apart:.1e} (allowed 1e-06)"
    return gap <= 1e-6 and apart <= 1e-6, words


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
    return ["preprocess", options["data"], "--scale", "standard"]


def make_table(folder):
    rng = np.random.default_rng(7)
    x = rng.normal(size=(500_000, 16)) * rng.uniform(0.1, 50.0, 16)
    x[:, 0] = rng.integers(10, size=len(x))
    x[rng.random(len(x)) < 0.01, 1] = np.nan
    np.save(folder / "x.npy", x)
    return {"data": str(folder / "x.npy"), "n": len(x), "d": 16}


def check_profile(options, ours, _):
    """No library gives the same page, so ours stands alone; what it says is held to numpy's."""
    x = np.load(options["data"])
    columns = ours["columns"]
    missing = [column["missing"] for column in columns] == np.isnan(x).sum(axis=0).tolist()
    mean, spread = np.nanmean(x, axis=0), np.nanstd(x, axis=0)
    means = np.abs([column["mean"] for column in columns] - mean) / spread
    spreads = np.abs([column["deviation"] for column in columns] / spread - 1.0)
    gap = float(max(means.max(), spreads.max()))
    least = [column["quantiles"][0] for column in columns] == np.nanmin(x, axis=0).tolist()
    words = f"means and deviations differ from numpy's by {gap:.1e} (allowed 1e-09)"
    return missing and least and gap <= 1e-9, words + f", missing cells and least values {'equal' if missing and least else 'DIFFER'}"


def table_limit(options, _):
    return "copy", 8.0 * options["n"] * options["d"]


ROWS = [
    Row("PC", "PCA 200k x 128, 32 components, with the embedding", "pca", ONE, make_pca, pca_command, read_pca, check_pca, pca_limit),
    Row("SV", "truncated SVD 200k x 128, 32 components, embedded", "svd", ONE, make_svd, svd_command, read_svd, check_svd, pca_limit),
    Row("SC", "standard scaling 1M x 32", "scale", ONE, make_scale, scale_command, reads(scaled="X.npy"), check_scale, scale_limit),
    Row(
        "PS",
        "profile of 500k x 16",
        "profile",
        (),
        make_table,
        lambda options: ["profile", options["data"]],
        lambda folder: {"columns": summary_of(folder)["columns"], "facts": {}},
        check_profile,
        table_limit,
    ),
]
