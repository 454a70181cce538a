"""Mixtures of normal distributions, ten passes from starts that are given."""

import numpy as np

from .row import Row, mixture, read_tensor, reads


def make_mixture(rows, columns, k, kind, dtype):
    def make(folder):
        x = mixture(rows, columns, k, 1.5, 11).astype(dtype)
        np.save(folder / "x.npy", x)
        means = x[np.random.default_rng(12).choice(rows, k, replace=False)].astype(np.float64)
        precisions = np.ones((k, columns)) if kind == "diag" else np.tile(np.eye(columns), (k, 1))
        starts = {"weights": np.full((k, 1), 1.0 / k), "means": means, "precisions": precisions}
        for name, values in starts.items():
            np.save(folder / f"{name}.npy", values)
        return {"data": str(folder / "x.npy"), "k": k, "kind": kind, "passes": 10} | {name: str(folder / f"{name}.npy") for name in starts}

    return make


def command(options):
    words = ["gmm", options["data"], "--n-components", options["k"], "--covariance-type", options["kind"], "--tol", 0]
    words += ["--max-iter", options["passes"], "--assignments", "off"]
    return words + [word for name in ("weights", "means", "precisions") for word in (f"--{name}-init", options[name])]


def read(folder):
    tensors = {name: read_tensor(folder / "model.safetensors", name) for name in ("weights", "means", "covariances")}
    return reads(labels="labels.npy")(folder) | tensors


def likelihood(x, weights, means, covariances):
    """Mean log-likelihood of a row in double precision, whoever made the mixture."""
    logs = []
    for weight, mean, covariance in zip(np.ravel(weights).astype(float), means.astype(float), covariances.astype(float)):
        full = np.diag(covariance) if covariance.ndim == 1 else covariance
        root = np.linalg.cholesky(np.linalg.inv(full))
        away = ((x - mean) @ root) ** 2
        logs.append(np.log(weight) + np.log(np.diag(root)).sum() - 0.5 * (away.sum(axis=1) + len(mean) * np.log(2 * np.pi)))
    return float(np.logaddexp.reduce(logs, axis=0).mean())


def check(options, ours, theirs):
    """By one evaluator on 50,000 rows. Float32 sums of the peer may cost it or win it some digits."""
    x = np.load(options["data"], mmap_mode="r")
    wide = x[:50_000].astype(np.float64)
    a, b = (likelihood(wide, *(np.array(side[name]) for name in ("weights", "means", "covariances"))) for side in (ours, theirs))
    allowed = 1e-8 if x.dtype == np.float64 else 1e-4
    alike = float(np.mean(np.asarray(ours["labels"]) == np.asarray(theirs["labels"])))
    passes = ours["facts"]["passes"] == theirs["facts"]["passes"] == options["passes"]
    words = f"mean log-likelihood {a:.8f} and {b:.8f} (allowed {allowed:.0e} of it apart)"
    words += f", labels equal on {100 * alike:.3f} % of rows (allowed 99.9)"
    return passes and abs(a - b) <= allowed * abs(b) and alike >= 0.999, words


def mixture_row(title, rows, columns, k, kind, dtype):
    return Row("GM", f"{title}, {dtype}", "gmm", ("sklearn",), make_mixture(rows, columns, k, kind, dtype), command, read, check)


ROWS = [
    mixture_row(title, rows, columns, k, kind, dtype)
    for title, rows, columns, k, kind in (
        ("mixture of 16 full 200k x 16, 10 passes, starts given", 200_000, 16, 16, "full"),
        ("mixture of 32 diagonal 500k x 32, 10 passes, starts given", 500_000, 32, 32, "diag"),
    )
    for dtype in ("float64", "float32")
]
