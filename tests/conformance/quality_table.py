"""Every algorithm against its peer on the same real data: the table of docs/quality.md, losses as well as wins.

    python tests/conformance/quality_table.py [--python NAME=PATH]... [--only ROW]... [--print] [--list]

The program runs from the command line (SLUICE names another than build/bin/sluice), the peers live, each in the first interpreter that has it: this one, or those
given by --python (NAME: openTSNE, umap, pynndescent, hdbscan, pyod, fim or sklearn; several libraries may share a PATH). A row whose peer or data set (SLUICE_DATA) is
missing is skipped by name. Writes the table into docs/quality.md, with --only these rows of it; --print shows it instead. All takes some ten minutes.
"""
import argparse
import csv
import gzip
import io
import json
import math
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from sklearn.manifold import trustworthiness  # noqa: E402
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score, roc_auc_score  # noqa: E402
from sklearn.neighbors import NearestNeighbors  # noqa: E402
from tsne_divergence import affinities, digits, divergence, mnist  # noqa: E402

ROOT = HERE.parents[1]
PROGRAM = pathlib.Path(os.environ.get("SLUICE", ROOT / "build" / "bin" / "sluice"))
DATA = pathlib.Path(os.environ.get("SLUICE_DATA", ROOT.parent / "shared" / "data"))
PAGE = ROOT / "docs" / "quality.md"
BEGIN, END = "<!-- quality_table.py: begin -->", "<!-- quality_table.py: end -->"
PACKAGES = {"openTSNE": "openTSNE", "umap": "umap-learn", "pynndescent": "pynndescent", "hdbscan": "hdbscan", "pyod": "pyod", "fim": "pyfim", "sklearn": "scikit-learn"}


class Missing(Exception):
    """Why a row is skipped."""


class Peers:
    def __init__(self, given):
        self.given, self.known = given, {}

    def interpreter(self, name):
        """(path, version) of the first interpreter that has the library."""
        if name not in self.known:
            ask = f"import importlib.metadata as m, importlib.util as u, sys; sys.exit(2) if u.find_spec({name!r}) is None else print(m.version({PACKAGES[name]!r}))"
            for path in [p for n, p in self.given if n == name] + [sys.executable] + [p for n, p in self.given if n != name]:
                asked = subprocess.run([path, "-c", ask], capture_output=True, text=True)
                if asked.returncode == 0:
                    self.known[name] = (path, asked.stdout.strip())
                    break
            else:
                raise Missing(f"no interpreter has {PACKAGES[name]}")
        return self.known[name]

    def version(self, name):
        return f"{PACKAGES[name]} {self.interpreter(name)[1]}"

    def run(self, name, peer, folder, **params):
        """What the peer found: arrays, or lists where it has no numpy."""
        ended = subprocess.run([self.interpreter(name)[0], str(HERE / "quality_peers.py"), peer, str(folder), json.dumps(params)], capture_output=True, text=True)
        if ended.returncode != 0:
            raise Missing(f"{PACKAGES[name]} failed: {ended.stderr.strip().splitlines()[-1]}")
        kept = folder / "theirs.npz"
        if kept.exists():
            with np.load(kept) as file:
                found = dict(file)
            kept.unlink()
            return found
        return json.loads((folder / "theirs.json").read_text())


def ours(folder, command, source, *options):
    """(result, output folder) of the program."""
    words = [PROGRAM, command, folder / source, *options, "-o", folder / "ours", "--overwrite", "--json", "-q"]
    ended = subprocess.run(list(map(str, words)), capture_output=True, text=True)
    if ended.returncode != 0:
        sys.exit(f"sluice {command} failed: {ended.stderr.strip()}")
    return json.loads(ended.stdout)["result"], folder / "ours"


def data(*parts):
    path = DATA.joinpath(*parts)
    if not path.exists():
        raise Missing(f"no data set {'/'.join(parts)}")
    return path


def pictures(folder, rows):
    data("images", "mnist", "t10k-images-idx3-ubyte.gz")
    np.save(folder / "rows.npy", mnist(DATA, rows))
    return np.load(folder / "rows.npy")


def hand_written(folder):
    data("images", "digits8x8.csv.gz")
    np.save(folder / "rows.npy", digits(DATA))
    return np.load(folder / "rows.npy")


def letters(folder):
    with gzip.open(data("tabular", "LetterRecognition.csv.gz"), "rt") as file:
        rows = np.array([line[1:] for line in list(csv.reader(file))[1:]], float)
    np.save(folder / "rows.npy", rows)
    return rows


def clusters(folder, *parts):
    rows = np.loadtxt(data("clustering", *parts), ndmin=2)
    np.save(folder / "rows.npy", rows)
    return rows, np.loadtxt(data("clustering", *parts[:-1], parts[-1].replace(".data.", ".labels0.")), dtype=int)


def number(value):
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}" if abs(value) < 100 else f"{value:,.1f}" if abs(value) < 1e5 else f"{value:,.0f}"


def shown(values):
    """One number, or the mean of several seeds with its standard error."""
    mean, error = summed(values)
    return f"{number(mean)} ± {f'{error:.2g}' if error < 100 else f'{error:,.0f}'}" if len(values) > 1 else number(values[0])


def summed(values):
    values = list(map(float, values))
    return np.mean(values), (np.std(values, ddof=1) / math.sqrt(len(values)) if len(values) > 1 else 0.0)


def judged(mine, theirs, higher, same):
    """In words: equal up to the share `same`, within chance of the seeds (two standard errors of the difference), or better or worse by how much."""
    (a, ea), (b, eb) = summed(mine), summed(theirs)
    gain = a - b if higher else b - a
    share = f" ({abs(gain / b):.1%})" if b else ""
    if abs(gain) <= same * abs(b):
        return "equal" if gain == 0 else f"equal to {same:.0e} of it"
    if abs(gain) <= 2 * math.hypot(ea, eb):
        return "no difference beyond the seeds'"
    return f"{'better' if gain > 0 else '**worse**'} by {abs(gain):.2g}{share}"


def farthest(of, mine, theirs):
    far = np.abs(np.asarray(mine) - theirs).max()
    return "" if far == 0 else f"; no {of} differs by more than {far:.0e}"


class Table:
    def __init__(self, peers):
        self.peers, self.lines = peers, []

    def line(self, row, algorithm, where, measure, mine, theirs, peer, verdict):
        self.lines.append([algorithm, where, measure, mine, theirs, peer, verdict, f"`{row}`"])

    def compare(self, row, algorithm, where, measure, mine, theirs, peer, higher, same=0.0, more=""):
        self.line(row, algorithm, where, measure, shown(mine), shown(theirs), peer, judged(mine, theirs, higher, same) + more)


def tsne_row(table, row, folder):
    for rows, where in ((hand_written(folder), "digits, 1,797 x 64"), (pictures(folder, 5000), "MNIST test, first 5,000 x 784")):
        np.save(folder / "rows.npy", rows)
        result, out = ours(folder, "tsne", "rows.npy")
        maps = np.load(out / "embedding.npy"), table.peers.run("openTSNE", "tsne", folder, seed=0)["map"]
        peer, near = table.peers.version("openTSNE"), affinities(rows)
        table.compare(row, f"tsne ({result['method']})", where, "KL divergence (lower)", *[[divergence(near, m)] for m in maps], peer, False)
        table.compare(row, f"tsne ({result['method']})", where, "trustworthiness, k = 15", *[[trustworthiness(rows, m, n_neighbors=15)] for m in maps], peer, True)


def umap_row(table, row, folder):
    for rows, where in ((hand_written(folder), "digits, 1,797 x 64"), (pictures(folder, 3000), "MNIST test, first 3,000 x 784")):
        np.save(folder / "rows.npy", rows)
        mine, theirs = [], []
        for seed in range(3):
            made = np.load(ours(folder, "umap", "rows.npy", "--seed", seed)[1] / "embedding.npy")
            mine.append(trustworthiness(rows, made, n_neighbors=15))
            theirs.append(trustworthiness(rows, table.peers.run("umap", "umap", folder, seed=seed)["map"], n_neighbors=15))
        table.compare(row, "umap", where, "trustworthiness, k = 15; 3 seeds", mine, theirs, table.peers.version("umap"), True)


def pca_row(table, row, folder):
    with np.load(data("tabular", "nci60.npz")) as file:
        np.save(folder / "rows.npy", file["X"].astype(float))
    result, _ = ours(folder, "pca", "rows.npy", "--n-components", 10)
    theirs = table.peers.run("sklearn", "pca", folder, n=10)["variance"]
    far = np.abs(np.array(result["explained_variance"]) / theirs - 1).max()
    table.compare(row, "pca", "NCI60, 64 x 6,830", "variance of 10 components", [sum(result["explained_variance"])], [theirs.sum()], table.peers.version("sklearn"), True,
                  1e-9, f"; no component differs by more than {far:.0e}")


def svd_row(table, row, folder):
    pictures(folder, 2000)
    result, _ = ours(folder, "svd", "rows.npy", "--n-components", 20)
    theirs = table.peers.run("sklearn", "svd", folder, n=20)["values"]
    far = np.abs(np.array(result["singular_values"]) / theirs - 1).max()
    table.compare(row, "svd", "MNIST test, first 2,000 x 784", "sum of 20 singular values", [sum(result["singular_values"])], [theirs.sum()],
                  table.peers.version("sklearn") + " (arpack)", True, 1e-9, f"; no value differs by more than {far:.0e}")


def distortion(rows, made):
    def squares(x):
        lengths = (x**2).sum(axis=1)
        return (lengths[:, None] + lengths - 2 * x @ x.T)[np.triu_indices(len(x), 1)]
    return math.sqrt(np.mean((squares(made) / squares(rows) - 1) ** 2))


def projection_row(table, row, folder):
    rows = pictures(folder, 500)
    for kind in ("gaussian", "sparse"):
        mine, theirs = [], []
        for seed in range(5):
            mine.append(distortion(rows, np.load(ours(folder, "random-projection", "rows.npy", "--n-components", 100, "--kind", kind, "--seed", seed)[1] / "embedding.npy")))
            theirs.append(distortion(rows, table.peers.run("sklearn", "random_projection", folder, n=100, kind=kind, seed=seed)["map"]))
        table.compare(row, f"random-projection ({kind})", "MNIST test, first 500 x 784, to 100", "root mean square distortion of squared distances (lower); 5 seeds", mine,
                      theirs, table.peers.version("sklearn"), False)


def neighbors_row(table, row, folder):
    for metric in ("euclidean", "cosine"):
        if metric == "euclidean":
            letters(folder)
            where = "letters, 20,000 x 16"
        else:
            with np.load(data("embeddings", "glove_5k_100d.npz")) as file:
                np.save(folder / "rows.npy", file["X"].astype(float))
            where = "GloVe, 5,000 x 100"
        out = ours(folder, "neighbors", "rows.npy", "--n-neighbors", 10, "--metric", metric)[1]
        mine, theirs = np.load(out / "distances.npy"), table.peers.run("sklearn", "neighbors", folder, k=10, metric=metric)["distances"]
        table.compare(row, f"neighbors (exact, {metric})", where, "sum of the distances to the 10 nearest", [mine.sum()], [theirs.sum()], table.peers.version("sklearn"),
                      False, 1e-9, farthest("distance", mine, theirs))


def recall(rows, who, k):
    """Share of the k named, the row itself left out, that are no farther than the k-th nearest."""
    limit = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(rows).kneighbors()[0][:, -1]
    hits = 0
    for i, named in enumerate(who):
        others = [j for j in named if j != i][:k]
        hits += int((np.linalg.norm(rows[others] - rows[i], axis=1) <= limit[i] * (1 + 1e-9)).sum())
    return hits / (len(rows) * k)


def nn_descent_row(table, row, folder):
    rows = pictures(folder, 10_000)
    mine, theirs = [], []
    for seed in range(3):
        out = ours(folder, "neighbors", "rows.npy", "--n-neighbors", 15, "--algorithm", "nn_descent", "--seed", seed)[1]
        mine.append(recall(rows, np.load(out / "indices.npy"), 15))
        theirs.append(recall(rows, table.peers.run("pynndescent", "nn_descent", folder, k=15, seed=seed)["indices"], 15))
    table.compare(row, "neighbors (nn_descent)", "MNIST test, 10,000 x 784", "recall of the 15 nearest; 3 seeds", mine, theirs, table.peers.version("pynndescent"), True)


def usual_distance(rows, share):
    """Quantile of the distances to the fifth nearest, itself counted, moved off the distances themselves."""
    return float(np.quantile(NearestNeighbors(n_neighbors=5).fit(rows).kneighbors(rows)[0][:, 4], share)) * 1.000003


def density_row(table, row, folder):
    for parts in (("other", "hdbscan.data.gz"), ("fcps", "chainlink.data.gz"), ("uci", "ecoli.data.gz")):
        rows, truth = clusters(folder, *parts)
        where = f"{parts[1][:-8]}, {len(rows):,} x {rows.shape[1]}"
        if row == "hdbscan":
            out = ours(folder, "hdbscan", "rows.npy", "--min-cluster-size", 10)[1]
            both = table.peers.run("sklearn", "hdbscan", folder, size=10)
            theirs, itself = both["labels"], f", of the peer's kd_tree and brute {adjusted_rand_score(both['labels'], both['other']):.4f}"
        else:
            eps = usual_distance(rows, 0.5)
            out = ours(folder, "dbscan", "rows.npy", "--eps", repr(eps))[1]
            theirs, itself = table.peers.run("sklearn", "dbscan", folder, eps=eps, size=5)["labels"], ""
        mine = np.load(out / "labels.npy")
        table.compare(row, row, where, "ARI to the known groups, noise a class", [adjusted_rand_score(truth, mine)], [adjusted_rand_score(truth, theirs)],
                      table.peers.version("sklearn"), True, 1e-12, f"; ARI of the two labellings {adjusted_rand_score(mine, theirs):.4f}{itself}")


def kmeans_row(table, row, folder):
    for where, k in (("letters, 20,000 x 16", 26), ("MNIST test, first 3,000 x 784", 10)):
        letters(folder) if k == 26 else pictures(folder, 3000)
        mine = [ours(folder, "kmeans", "rows.npy", "--n-clusters", k, "--n-init", 1, "--seed", seed)[0]["inertia"] for seed in range(10)]
        theirs = [float(table.peers.run("sklearn", "kmeans", folder, k=k, seed=seed)["inertia"]) for seed in range(10)]
        table.compare(row, "kmeans", where, f"inertia (lower), k = {k}, one start; 10 seeds", mine, theirs, table.peers.version("sklearn"), False)


def gmm_row(table, row, folder):
    letters(folder)
    for kind in ("full", "tied", "diag", "spherical"):
        mine = [ours(folder, "gmm", "rows.npy", "--n-components", 10, "--covariance-type", kind, "--seed", seed)[0]["log_likelihood"] for seed in range(5)]
        theirs = [float(table.peers.run("sklearn", "gmm", folder, k=10, kind=kind, seed=seed)["likelihood"]) for seed in range(5)]
        table.compare(row, f"gmm ({kind})", "letters, 20,000 x 16", "log-likelihood a row, 10 components, one start; 5 seeds", mine, theirs, table.peers.version("sklearn"), True)


def baskets(folder, name):
    (folder / "baskets.dat").write_bytes(gzip.decompress(data("itemsets", f"{name}.dat.gz").read_bytes()))


def listed(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def items(words):
    return tuple(sorted(map(int, words.split())))


def same_sets(mine, theirs):
    if mine == theirs:
        return "the same, every count equal"
    return f"{len(mine - theirs):,} that the peer has not or counts otherwise, {len(theirs - mine):,} the other way"


def miner_row(table, row, folder):
    for name, count in (("mushroom", 1625), ("retail", 50), ("groceries", 10)):
        baskets(folder, name)
        out = ours(folder, row, "baskets.dat", "--min-support", count)[1]
        mine = {(items(line["items"]), int(line["count"])) for line in listed(out / "itemsets.csv")}
        theirs = {(tuple(which), n) for which, n in table.peers.run("fim", "itemsets", folder, miner=row, count=count)}
        table.line(row, row, f"{name}, at least {count:,} baskets", "item sets", number(len(mine)), number(len(theirs)), table.peers.version("fim"), same_sets(mine, theirs))


def rules_row(table, row, folder):
    baskets(folder, "groceries")
    out = ours(folder, "eclat", "baskets.dat", "--min-support", 10, "--all-rules", "--min-confidence", 0.5)[1]
    mine = {(items(line["antecedent"]), int(line["consequent"]), int(line["count"])) for line in listed(out / "rules.csv")}
    theirs = {(tuple(body), head, n) for body, head, n in table.peers.run("fim", "rules", folder, count=10, percent=50)}
    table.line(row, "rules", "groceries, at least 10 baskets, confidence 0.5", "rules", number(len(mine)), number(len(theirs)), table.peers.version("fim"), same_sets(mine, theirs))


DETECTORS = {"isolation_forest": "sklearn", "ecod": "pyod", "knn": "pyod", "lof": "sklearn", "mahalanobis": "sklearn", "pca_error": "sklearn", "gmm_density": "sklearn",
             "hdbscan_outliers": "hdbscan", "ensemble": "pyod"}


def detector_row(table, row, folder):
    for name in ("6_cardio", "38_thyroid"):
        with np.load(data("anomaly", "adbench", f"{name}.npz")) as file:
            rows, truth = np.asarray(file["X"], float), file["y"].ravel()
        np.save(folder / "rows.npy", rows)
        seeds = range(5) if row in ("isolation_forest", "ensemble") else [None]
        mine, theirs, more = [], [], ""
        for seed in seeds:
            random = {} if seed is None else {"seed": seed}
            out = ours(folder, "anomaly", "rows.npy", "--method", row, *([] if seed is None else ["--seed", seed]))[1]
            own = np.load(out / "scores.npy")
            mine.append(roc_auc_score(truth, own))
            scores = table.peers.run(DETECTORS[row], "detector", folder, method=row, **random)["scores"]
            if np.isnan(scores).any():
                more = f"; {np.isnan(scores).sum():,} of the peer's scores are NaN, taken as 0"
            elif row == "hdbscan_outliers":  # one scale for both
                more = f"; {(np.abs(own - scores) > 1e-6).sum():,} rows score otherwise"
            theirs.append(roc_auc_score(truth, np.nan_to_num(scores, nan=0)))
        table.compare(row, f"anomaly {row}", f"{name}, {len(rows):,} x {rows.shape[1]}", "ROC AUC" + ("; 5 seeds" if len(seeds) > 1 else ""), mine, theirs,
                      table.peers.version(DETECTORS[row]), True, 1e-6, more)


def noise_row(table, row, folder):
    with np.load(data("anomaly", "adbench", "6_cardio.npz")) as file:
        rows = np.asarray(file["X"], float)
    np.save(folder / "rows.npy", rows)
    eps = usual_distance(rows, 0.9)
    mine = np.load(ours(folder, "anomaly", "rows.npy", "--method", "dbscan_noise", "--eps", repr(eps))[1] / "flags.npy") == 1
    theirs = table.peers.run("sklearn", "dbscan", folder, eps=eps, size=5)["labels"] == -1
    differ = int((mine != theirs).sum())
    table.line(row, "anomaly dbscan_noise", f"6_cardio, {len(rows):,} x {rows.shape[1]}", "rows called noise", number(int(mine.sum())), number(int(theirs.sum())),
               table.peers.version("sklearn"), "the same rows" if differ == 0 else f"{differ:,} rows differ")


def titles(folder, step, simple):
    """Every step-th title; simple: only words of two or more letters a to z, of which both programs cut the same words."""
    with gzip.open(data("text", "stackoverflow_titles.csv.gz"), "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[::step]
    texts = [" ".join(re.findall(r"\b[a-z]{2,}\b", row["text"].lower())) if simple else row["text"] for row in rows]
    with open(folder / "texts.csv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["text"], *([text] for text in texts)])
    (folder / "texts.json").write_text(json.dumps(texts))
    return [row["label"] for row in rows]


def tfidf_row(table, row, folder):
    titles(folder, 10, True)
    out = ours(folder, "neighbors", "texts.csv", "--text", "text", "--stop-words", "none", "--metric", "cosine", "--n-neighbors", 5)[1]
    mine, theirs = np.load(out / "distances.npy"), table.peers.run("sklearn", "tfidf_neighbors", folder, k=5)["distances"]
    table.compare(row, "TF-IDF and neighbors (cosine)", "every 10th Stack Overflow title (2,000), words of a-z", "sum of the distances to the 5 nearest", [mine.sum()], [theirs.sum()],
                  table.peers.version("sklearn"), False, 1e-9, farthest("distance", mine, theirs))


def topics_row(table, row, folder):
    truth = titles(folder, 4, False)
    mine, theirs = [], []
    for seed in range(3):
        out = ours(folder, "kmeans", "texts.csv", "--text", "text", "--metric", "cosine", "--n-clusters", 20, "--n-init", 1, "--min-df", 5, "--stop-words", "english",
                   "--seed", seed)[1]
        mine.append(np.load(out / "labels.npy"))
        theirs.append(table.peers.run("sklearn", "topics", folder, k=20, seed=seed)["labels"])
    for measure, of in (("ARI", adjusted_rand_score), ("NMI", normalized_mutual_info_score)):
        table.compare(row, "TF-IDF and kmeans (cosine): topics", "every 4th Stack Overflow title (5,000)", f"{measure} to the 20 subjects, one start; 3 seeds",
                      [of(truth, x) for x in mine], [of(truth, x) for x in theirs], table.peers.version("sklearn"), True)


ROWS = {"tsne": tsne_row, "umap": umap_row, "pca": pca_row, "svd": svd_row, "random-projection": projection_row, "neighbors": neighbors_row, "nn_descent": nn_descent_row,
        "hdbscan": density_row, "dbscan": density_row, "kmeans": kmeans_row, "gmm": gmm_row, "apriori": miner_row, "eclat": miner_row, "fpgrowth": miner_row, "rules": rules_row,
        **{name: detector_row for name in DETECTORS}, "dbscan_noise": noise_row, "tfidf": tfidf_row, "topics": topics_row}
HEADER = ["algorithm", "data", "measure", "ours", "theirs", "peer", "ours is", "`--only`"]


def kept(text, chosen):
    """The lines of a table that other rows made."""
    lines = [line.strip("|\n ").split(" | ") for line in text.splitlines() if line.startswith("| ")][2:]
    return [line for line in lines if line[-1].strip("`") not in chosen]


def markdown(lines, skipped):
    out = io.StringIO()
    order = list(ROWS)
    lines = sorted(lines, key=lambda line: order.index(line[-1].strip("`")))
    for line in (HEADER, ["---"] * len(HEADER), *lines):
        print("| " + " | ".join(line) + " |", file=out)
    for row, why in skipped:
        print(f"\nSkipped: `{row}`, {why}.", file=out)
    return out.getvalue()


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--python", action="append", default=[], metavar="NAME=PATH", type=lambda word: tuple(word.split("=", 1)))
    options.add_argument("--only", action="append", default=[], choices=list(ROWS), metavar="ROW")
    options.add_argument("--print", action="store_true")
    options.add_argument("--list", action="store_true")
    given = options.parse_args()
    if given.list:
        return print("\n".join(ROWS))
    table, skipped = Table(Peers(given.python)), []
    for row in given.only or ROWS:
        try:
            with tempfile.TemporaryDirectory() as scratch:
                ROWS[row](table, row, pathlib.Path(scratch))
            print(row, "done", file=sys.stderr, flush=True)
        except Missing as why:
            print(row, "skipped:", why, file=sys.stderr, flush=True)
            skipped.append((row, why))
    if given.print:
        return print(markdown(table.lines, skipped))
    head, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    old, tail = rest.split(END)
    text = markdown(table.lines + (kept(old, given.only) if given.only else []), skipped)
    PAGE.write_text(f"{head}{BEGIN}\n{text}{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
