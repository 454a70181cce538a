"""`sluice anomaly` from outside: which rows are flagged and why, thresholds, labels, new rows, and what is refused."""
import csv

import numpy as np
import pytest

from sluice_program import done, needs_program, run

METHODS = {"isolation_forest": [], "ecod": [], "knn": [], "lof": [], "mahalanobis": [], "pca_error": ["--n-components", 2], "gmm_density": [],
           "dbscan_noise": ["--eps", 1.5], "hdbscan_outliers": [], "ensemble": ["--methods", "ecod,mahalanobis"]}


@pytest.fixture
def rows(tmp_path):
    """300 rows of 4 columns around 0, rows 0 to 4 far out in column 2."""
    needs_program()
    values = np.random.default_rng(5).normal(size=(300, 4))
    values[:5, 2] += 12
    np.save(tmp_path / "x.npy", values)
    np.save(tmp_path / "y.npy", (np.arange(300) < 5).astype(np.int32))
    return values


def read(out):
    return np.load(out / "scores.npy"), np.load(out / "flags.npy"), np.load(out / "p_values.npy")


def alerts(out):
    with open(out / "alerts.csv", encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.mark.parametrize("method", METHODS)
def test_flags_are_the_rows_at_or_above_the_threshold(method, rows, tmp_path):
    for rule in ([], ["--contamination", 0.02], ["--threshold", 0.55]):
        if method == "dbscan_noise" and rule == []:
            rule = ["--fdr", 0.1]
        out = tmp_path / "out"
        result = done("anomaly", tmp_path / "x.npy", "--method", method, *METHODS[method], *rule, "--overwrite", "-o", out).result
        scores, flags, p_values = read(out)
        assert flags.dtype == np.uint8 and scores.dtype == p_values.dtype == np.float64
        assert ((0 <= p_values) & (p_values <= 1)).all()
        threshold = np.inf if result["threshold"] is None else result["threshold"]
        assert (flags == (scores >= threshold)).all()
        assert result["n_flagged"] == flags.sum() == len(alerts(out)) and result["method"] == method
        if "--contamination" in rule:
            assert flags.sum() <= 6


# Not pca_error, whose first component is these rows' direction, nor those to which five rows together are a group of their own.
@pytest.mark.parametrize("method", ["isolation_forest", "ecod", "mahalanobis", "dbscan_noise", "ensemble"])
def test_the_rows_that_are_wrong_are_found_with_their_column(method, rows, tmp_path):
    out = tmp_path / "out"
    options = METHODS[method] if method == "dbscan_noise" else [*METHODS[method], "--contamination", 0.05]
    result = done("anomaly", tmp_path / "x.npy", "--method", method, *options, "--label", tmp_path / "y.npy", "-o", out).result
    assert result["roc_auc"] > 0.9
    wrong = [alert for alert in alerts(out) if int(alert["row"]) < 5]
    assert len(wrong) >= 2  # ecod counts both ends of a column whose skewness is near 0
    for alert in wrong:
        assert alert["feature_1"] == "c2" and float(alert["value_1"]) > float(alert["usual_high_1"])
        assert float(alert["contribution_1"]) > 0
        assert float(alert["usual_low_1"]) == pytest.approx(np.quantile(rows[:, 2], 0.05), abs=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_a_model_judges_new_rows(method, rows, tmp_path):
    done("anomaly", tmp_path / "x.npy", "--method", method, *METHODS[method], "--contamination", 0.02, "-o", tmp_path / "fit")
    fresh = np.vstack([rows[7:9] * 1.01, [[0, 0, 40, 0]]])
    np.save(tmp_path / "new.npy", fresh)
    done("apply", tmp_path / "fit" / "model.safetensors", tmp_path / "new.npy", "-o", tmp_path / "new")
    scores, flags, _ = read(tmp_path / "new")
    assert scores.argmax() == 2 and flags[2] >= flags[:2].max()
    for i in range(3):  # one at a time
        np.save(tmp_path / "one.npy", fresh[i : i + 1])
        done("apply", tmp_path / "fit" / "model.safetensors", tmp_path / "one.npy", "--overwrite", "-o", tmp_path / "one")
        assert np.load(tmp_path / "one" / "scores.npy")[0] == scores[i]


@pytest.mark.parametrize("method", ["isolation_forest", "ecod", "mahalanobis", "pca_error"])
def test_apply_says_of_the_fits_rows_what_the_fit_said(method, rows, tmp_path):
    done("anomaly", tmp_path / "x.npy", "--method", method, "-o", tmp_path / "fit")
    done("apply", tmp_path / "fit" / "model.safetensors", tmp_path / "x.npy", "-o", tmp_path / "again")
    for name in ("scores.npy", "flags.npy", "p_values.npy", "alerts.csv"):
        assert (tmp_path / "fit" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_conformal_p_values_keep_the_rate_on_new_rows(tmp_path):
    needs_program()
    rng = np.random.default_rng(1)
    np.save(tmp_path / "x.npy", rng.normal(size=(4000, 3)))
    result = done("anomaly", tmp_path / "x.npy", "--method", "mahalanobis", "--p-values", "conformal", "-o", tmp_path / "fit").result
    assert result["n_flagged"] == 0 and result["threshold"] is None
    p = read(tmp_path / "fit")[2]
    assert abs(np.sort(p) - (np.arange(4000) + 1) / 4000).max() < 0.01  # uniform
    found, wrong = 0, 0
    for trial in range(5):
        fresh = rng.normal(size=(1000, 3))
        fresh[:60] += 6
        np.save(tmp_path / "new.npy", fresh)
        done("apply", tmp_path / "fit" / "model.safetensors", tmp_path / "new.npy", "--overwrite", "-o", tmp_path / "new")
        flags = read(tmp_path / "new")[1]
        found += flags[:60].sum()
        wrong += flags[60:].sum()
    assert found == 300 and wrong <= 0.1 * 300  # 5 % expected


def test_labels_may_be_words(rows, tmp_path):
    words = np.where(np.arange(300) < 5, "odd", np.where(np.arange(300) < 20, "rare", "usual"))
    lines = ["a,b,c,d,kind"] + [",".join(map(repr, row.tolist())) + "," + word for row, word in zip(rows, words)]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    by_default = done("anomaly", tmp_path / "t.csv", "--label", "kind", "-o", tmp_path / "a")
    odd = done("anomaly", tmp_path / "t.csv", "--label", "kind", "--positive", "odd", "-o", tmp_path / "b")
    assert odd.result["roc_auc"] > 0.95 > by_default.result["roc_auc"]
    from sklearn.metrics import average_precision_score, roc_auc_score

    scores = np.load(tmp_path / "a" / "scores.npy")
    assert odd.result["roc_auc"] == pytest.approx(roc_auc_score(words == "odd", scores), abs=1e-12)
    assert odd.result["average_precision"] == pytest.approx(average_precision_score(words == "odd", scores), abs=1e-12)
    assert by_default.result["roc_auc"] == pytest.approx(roc_auc_score(words != "usual", scores), abs=1e-12)


@pytest.mark.parametrize("options,says", [
    (["--method", "nothing"], "isolation_forest"),
    (["--method", "knn", "--max-samples", 5], "it belongs to isolation_forest"),
    (["--n-neighbors", 5], "knn, lof"),
    (["--fdr", 0.1, "--contamination", 0.1], "one of --fdr"),
    (["--threshold", 1, "--contamination", 0.1], "one of --fdr"),
    (["--positive", "1"], "--label"),
    (["--n-estimators", 0], "--n-estimators"),
    (["--method", "ensemble", "--methods", "ecod"], "at least two"),
])
def test_words_that_do_not_fit_are_refused(options, says, rows, tmp_path):
    ended = run("anomaly", tmp_path / "x.npy", *options, "-o", tmp_path / "out")
    assert ended.code == 2 and says in ended.err and not (tmp_path / "out").exists()


@pytest.mark.parametrize("method", [m for m in METHODS if m != "dbscan_noise"])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_tiny_and_constant_sets_end(method, n, tmp_path):
    needs_program()
    for values in (np.ones((n, 3)), np.arange(3.0 * n).reshape(n, 3)):
        np.save(tmp_path / "x.npy", values)
        options = [] if method == "pca_error" else METHODS[method]
        result = done("anomaly", tmp_path / "x.npy", "--method", method, *options, "--overwrite", "-o", tmp_path / "out").result
        assert np.isfinite(np.load(tmp_path / "out" / "scores.npy")).all()
        assert result["n_flagged"] == 0 if (values == values[0]).all() else result["n_flagged"] <= n


def test_nan_is_refused(tmp_path):
    needs_program()
    np.save(tmp_path / "x.npy", np.array([[1.0, np.nan], [2, 3]]))
    assert run("anomaly", tmp_path / "x.npy", "-o", tmp_path / "out").code == 3
