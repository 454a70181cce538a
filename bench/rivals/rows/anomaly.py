"""Detectors: isolation forest, LOF, ECOD."""

import numpy as np

from .row import Row, mixture, reads


def make_outliers(rows, columns, dtype):
    """Overlapping clouds; one row in a hundred is drawn from all around them."""

    def make(folder):
        rng = np.random.default_rng(13)
        x = mixture(rows, columns, 20, 2.0, 14).astype(np.float64)
        odd = rng.random(rows) < 0.01
        x[odd] = rng.uniform(-8, 8, size=(int(odd.sum()), columns))
        np.save(folder / "x.npy", x.astype(dtype))
        np.save(folder / "odd.npy", odd)
        return {"data": str(folder / "x.npy"), "odd": str(folder / "odd.npy"), "k": 20}

    return make


def command(method, *words):
    """Without reasons for single rows, which the peers do not give; thresholds and p-values, not given either, are ours to pay."""

    def arguments(options):
        return ["anomaly", options["data"], "--method", method, "--explain", 0, "--seed", options.get("seed", 0), *words]

    return arguments


def ranks(values):
    found = np.empty(len(values))
    found[np.argsort(values, kind="stable")] = np.arange(len(values))
    return found


def area(odd, scores):
    """Under the ROC curve, from ranks; scores hardly tie."""
    high, m = ranks(scores)[odd].sum(), int(odd.sum())
    return float((high - m * (m - 1) / 2) / (m * (len(odd) - m)))


def alike(some, others):
    """Mean rank correlation of every forest of some with every other one of the others; none where there is no such pair."""
    pairs = [(a, b) for a in some for b in others if a is not b]
    return float(np.mean([np.corrcoef(a, b)[0, 1] for a, b in pairs])) if pairs else None


def check_forest(options, ours, theirs):
    """Other trees: planted rows found as well, scores of the same size, and in the order that forests of the peer have among themselves."""
    odd = np.load(options["odd"])
    a, b = (float(np.mean([area(odd, np.asarray(one["scores"])) for one in side])) for side in (ours, theirs))
    apart = abs(float(np.mean([one["scores"] for one in ours])) - float(np.mean([one["scores"] for one in theirs], dtype=np.float64)))
    words = f"ROC AUC over {len(ours)} seeds {a:.4f} and {b:.4f} (allowed 0.01 less), mean score {apart:.4f} apart (allowed 0.02)"
    mine, other = ([ranks(np.asarray(one["scores"])) for one in side] for side in (ours, theirs))
    across, own = alike(mine, other), alike(other, other)
    if own is not None:
        words += f", rank correlation with the peer's forests {across:.4f}, of those among themselves {own:.4f} (allowed 0.05 less)"
    return a >= b - 0.01 and apart <= 0.02 and (own is None or across >= own - 0.05), words


def check_scores(allowed):
    def check(_, ours, theirs):
        gap = float(np.max(np.abs(np.asarray(ours["scores"]) / np.asarray(theirs["scores"]) - 1.0)))
        return gap <= allowed, f"scores differ by at most {gap:.1e} of themselves (allowed {allowed:.0e})"

    return check


READ = reads(scores="scores.npy")

ROWS = [
    Row(
        "IF",
        "isolation forest of 100 trees 500k x 16, fit and scores, float32",
        "isolation_forest",
        ("sklearn",),
        make_outliers(500_000, 16, "float32"),
        command("isolation_forest"),
        READ,
        check_forest,
        seeded=True,
    ),
    Row(
        "LO",
        "LOF 100k x 16, 20 neighbours",
        "lof",
        ("sklearn",),
        make_outliers(100_000, 16, "float64"),
        command("lof", "--n-neighbors", 20),
        READ,
        check_scores(1e-6),
    ),
    Row("EC", "ECOD 500k x 32", "ecod", ("pyod",), make_outliers(500_000, 32, "float64"), command("ecod"), READ, check_scores(1e-9)),
]
