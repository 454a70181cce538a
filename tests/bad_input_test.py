"""Bad and borderline input for every command that reads data: the right exit code, one line that says what, nothing written; or a whole result."""
import json
import re

import pytest

from sluice_program import done, needs_program, run

np = pytest.importorskip("numpy")

NUMBERS = {
    "tsne": ["tsne", "--max-iter", 50],
    "tsne-fft": ["tsne", "--max-iter", 50, "--method", "fft"],
    "umap": ["umap", "--n-epochs", 20],
    "umap-cosine": ["umap", "--n-epochs", 20, "--metric", "cosine"],
    "svd": ["svd", "--n-components", 1],
    "svd-randomized": ["svd", "--n-components", 1, "--algorithm", "randomized"],
    "random-projection": ["random-projection", "--n-components", 1],
    "pca": ["pca", "--n-components", 1],
    "neighbors": ["neighbors", "--n-neighbors", 3],
    "neighbors-kd_tree": ["neighbors", "--n-neighbors", 3, "--algorithm", "kd_tree"],
    "neighbors-radius": ["neighbors", "--radius", 1],
    "neighbors-nn_descent": ["neighbors", "--n-neighbors", 3, "--algorithm", "nn_descent"],
    "hdbscan": ["hdbscan"],
    "hdbscan-leaf": ["hdbscan", "--cluster-selection-method", "leaf", "--min-samples", 1],
    "dbscan": ["dbscan"],
    "kmeans": ["kmeans", "--n-clusters", 2],
    "gmm": ["gmm", "--n-components", 2],
    "gmm-diag": ["gmm", "--n-components", 2, "--covariance-type", "diag", "--init-params", "random"],
    "gmm-auto": ["gmm", "--n-components", "auto", "--max-components", 3],
    "choose-k": ["choose-k"],
    "select": ["select", "--budget", 1],
}
DETECTORS = ["isolation_forest", "ecod", "knn", "lof", "mahalanobis", "pca_error", "gmm_density", "dbscan_noise", "hdbscan_outliers", "ensemble"]
NUMBERS |= {f"anomaly-{method}": ["anomaly", "--method", method] for method in DETECTORS}
# These take text, and cells that are missing, as they come.
TABLES = {
    "preprocess": ["preprocess"],
    "profile": ["profile"],
    "advise": ["advise"],
    "apriori": ["apriori", "--min-support", 0.3, "--rules"],
    "eclat": ["eclat", "--min-support", 0.3, "--rules"],
    "fpgrowth": ["fpgrowth", "--min-support", 0.3, "--rules"],
}
COMMANDS = NUMBERS | TABLES
# What reads no data, or is nothing without a model, labels or a file of its own: tested where these are (cli_test.py, damaged_test.py).
ELSEWHERE = {"apply", "make", "evaluate", "init", "plan", "run", "verify"}

NORMAL = np.random.default_rng(1).normal(size=(40, 2))


def csv(rows, tail=""):
    rows = np.asarray(rows, float)
    lines = [",".join("ab"[:rows.shape[1]]), *(",".join(repr(float(v)) for v in row) for row in rows)]
    return "\n".join(lines) + "\n" + tail


ONE_ROW = csv([[1, 2]])
# Case: text of the file, exit code for commands that take numbers, for those that take tables, words that must be said.
REFUSED = {
    "empty": ("", 3, 3, "is empty"),
    "header only": ("a,b\n", 3, 3, "no rows"),
    "a short line": (csv(NORMAL, "1\n"), 3, 3, "x.csv:42"),
    "nan": (csv(NORMAL, "1,nan\n"), 3, 0, "row 40, column b"),
    "missing": (csv(NORMAL, ",1\n"), 3, 0, "row 40, column a"),
    "infinity": (csv(NORMAL, "1,-inf\n"), 3, None, "row 40, column b"),
    "text": (csv(NORMAL, "red,1\n"), 3, 0, "column a: it holds text"),
    "a square that overflows": (csv(NORMAL * 1e200), 8, None, "column a"),
}
ENDS_WELL = {
    "one column": NORMAL[:, :1],
    "constant": np.full((40, 2), 14.62),
    "zero": np.zeros((40, 2)),
    "all duplicates": np.repeat([[1.0, 2.0], [3.0, 5.0]], 20, axis=0),
    "huge": NORMAL * 1e38,
    "tiny": NORMAL * 1e-300,
    "far away": NORMAL + 1e9,
    "one far row": np.vstack([NORMAL, [[1e30, -1e30]]]),
    "a column that repeats": NORMAL[:, [0, 0]],
}
# No dense row at the default eps; one normal over a row that far out is a line.
NO_ANSWER = {("anomaly-dbscan_noise", "huge"): (3, "--eps"), ("anomaly-gmm_density", "one far row"): (8, "singular")}
# Too few rows for what is asked: with more the same commands end.
ONE_ROW_REFUSED = {"tsne", "tsne-fft", "svd", "svd-randomized", "pca", "neighbors", "neighbors-kd_tree", "neighbors-nn_descent", "kmeans", "gmm", "gmm-diag",
                   "anomaly-dbscan_noise"}


def refused(name, source, code, says, tmp_path):
    head, *options = COMMANDS[name]
    ended = run(head, source, *options, "-o", tmp_path / "o", "--json", timeout=60)
    assert ended.code == code, (ended.code, ended.err)
    errors = [line for line in ended.err.splitlines() if line.startswith("sluice: error: ")]
    assert len(errors) == 1 and ended.err.count("\n") == 1 and "; " in errors[0] and says in errors[0], ended.err
    error = ended.json["error"]
    assert error["code"] == code and errors[0].startswith(f"sluice: error: {error['where']}: {error['message']}")
    assert not (tmp_path / "o").exists() and not (tmp_path / "o.work").exists()


def whole(name, source, tmp_path, rows=None):
    """Ends with 0, and every number that was written is one."""
    head, *options = COMMANDS[name]
    ended = done(head, source, *options, "-o", tmp_path / "o", timeout=60)
    assert (tmp_path / "o/manifest.json").exists()
    for path in (tmp_path / "o").glob("*.npy"):
        values = np.load(path)
        assert values.dtype.kind in "iu" or np.isfinite(values).all(), path.name
        if rows is not None and path.stem in ("labels", "embedding", "scores", "flags"):
            assert len(values) == rows
    return ended.result


def test_no_command_is_forgotten():
    needs_program()
    listed = set(re.findall(r"^  ([a-z][a-z-]*) {2,}\S", run("--help").out.split("Commands:")[1], re.M))
    assert listed - ELSEWHERE == {args[0] for args in COMMANDS.values()}
    methods = re.search(r"The detector: ([a-z_, ]+)\.", run("anomaly", "--help").out).group(1)
    assert set(methods.split(", ")) == set(DETECTORS)


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("name", COMMANDS)
def test_bad_input_is_refused(name, case, tmp_path):
    text, numbers, tables, says = REFUSED[case]
    (tmp_path / "x.csv").write_text(text)
    code = numbers if name in NUMBERS else tables
    if name in TABLES and code is None:  # cut into ranges, described or refused: each for its own reason
        code = {"infinity": {"preprocess": 3, "advise": 3}, "a square that overflows": {"advise": 8}}[case].get(name, 0)
    if code == 0:
        whole(name, tmp_path / "x.csv", tmp_path)
    else:
        refused(name, tmp_path / "x.csv", code, says, tmp_path)


@pytest.mark.parametrize("case", ENDS_WELL)
@pytest.mark.parametrize("name", COMMANDS)
def test_odd_input_ends_well(name, case, tmp_path):
    rows = ENDS_WELL[case]
    (tmp_path / "x.csv").write_text(csv(rows))
    code, says = NO_ANSWER.get((name, case), (0, ""))
    if code == 0:
        whole(name, tmp_path / "x.csv", tmp_path, len(rows))
    else:
        refused(name, tmp_path / "x.csv", code, says, tmp_path)


@pytest.mark.parametrize("name", COMMANDS)
def test_one_row(name, tmp_path):
    (tmp_path / "x.csv").write_text(ONE_ROW)
    if name in ONE_ROW_REFUSED:
        refused(name, tmp_path / "x.csv", 3, "", tmp_path)
    else:
        whole(name, tmp_path / "x.csv", tmp_path, 1)


@pytest.mark.parametrize("name", COMMANDS)
def test_shapes_that_hold_nothing(name, tmp_path):
    for shape in ((0, 3), (5, 0)):
        np.save(tmp_path / "x.npy", np.zeros(shape))
        refused(name, tmp_path / "x.npy", 3, "x.npy", tmp_path)


@pytest.mark.parametrize("name", NUMBERS)
def test_missing_values_dropped_or_imputed(name, tmp_path):
    (tmp_path / "x.csv").write_text(csv(NORMAL, "1,nan\n,2\n"))
    head, *options = COMMANDS[name]
    for how, kept in (("drop", 40), ("impute", 42)):
        done(head, tmp_path / "x.csv", *options, "--nan", how, "-o", tmp_path / how, timeout=60)
        dropped = tmp_path / how / "rows.npy"
        assert (np.load(dropped).tolist() == list(range(kept))) if how == "drop" else not dropped.exists()


@pytest.mark.parametrize("name", [name for name in NUMBERS if name != "choose-k"])
def test_a_model_refuses_rows_that_are_not_like_its_own(name, tmp_path):
    head, *options = COMMANDS[name]
    (tmp_path / "x.csv").write_text(csv(NORMAL))
    done(head, tmp_path / "x.csv", *options, "-o", tmp_path / "fit")
    for text in ("", "a,b\n", "a,b\n1,nan\n", "a,b\n1,red\n", "a\n1\n", "a,c\n1,2\n", "a,b\n1,1e400\n"):
        (tmp_path / "new.csv").write_text(text)
        ended = run("apply", tmp_path / "fit/model.safetensors", tmp_path / "new.csv", "-o", tmp_path / "o", "--json")
        assert ended.code == 3 and ended.err.count("\n") == 1, (text, ended.code, ended.err)
        assert json.loads(ended.out)["error"]["code"] == 3 and not (tmp_path / "o").exists() and not (tmp_path / "o.work").exists()
    (tmp_path / "new.csv").write_text("b,a\n1e38,-1e38\n0,0\n")
    done("apply", tmp_path / "fit/model.safetensors", tmp_path / "new.csv", "-o", tmp_path / "o")
    for path in (tmp_path / "o").glob("*.npy"):
        values = np.load(path)
        assert values.dtype.kind in "iu" or not np.isnan(values).any(), path.name
