"""Gaussian mixtures against scikit-learn on real sets: equal from equal starts, as likely from own ones, equal on rows held out."""
import gzip
import pathlib
import sys
import warnings

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from sluice_program import done, needs_data  # noqa: E402

np = pytest.importorskip("numpy")
mixture = pytest.importorskip("sklearn.mixture")
safetensors = pytest.importorskip("safetensors.numpy")

SETS = ["sipu/s1", "sipu/a1", "uci/wine", "uci/ecoli", "other/iris", "g2mg/g2mg_16_30"]
KINDS = ["full", "tied", "diag", "spherical"]


def load(name):
    return np.loadtxt(gzip.open(needs_data("clustering", *f"{name}.data.gz".split("/"))), ndmin=2)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SETS)
def test_equal_from_equal_starts(name, kind, tmp_path):
    x = load(name)
    n, d = x.shape
    k = 3
    spread = np.diag(1 / (x.var(axis=0) + 1e-3))
    precisions = {"full": np.tile(spread, (k, 1, 1)), "tied": spread, "diag": np.tile(np.diag(spread), (k, 1)), "spherical": np.full(k, 1 / x.var(axis=0).mean())}[kind]
    starts = {"weights_init": np.full(k, 1 / k), "means_init": x[np.random.default_rng(3).choice(n, k, replace=False)], "precisions_init": precisions}
    files = []
    for what, values in starts.items():
        np.save(tmp_path / f"{what}.npy", values.reshape(-1, d) if what == "precisions_init" and kind != "spherical" else values.reshape(len(values), -1))
        files += [f"--{what.replace('_', '-')}", tmp_path / f"{what}.npy"]
    np.save(tmp_path / "x.npy", x)
    ended = done("gmm", tmp_path / "x.npy", "--n-components", k, "--covariance-type", kind, "--reg-covar", 1e-3, "--max-iter", 30, *files, "-o", tmp_path / "o")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = mixture.GaussianMixture(k, covariance_type=kind, reg_covar=1e-3, max_iter=30, **starts).fit(x)
    model = safetensors.load_file(tmp_path / "o/model.safetensors")
    for tensor, values in {"weights": theirs.weights_, "means": theirs.means_, "covariances": theirs.covariances_, "precisions_cholesky": theirs.precisions_cholesky_}.items():
        assert model[tensor].shape == values.shape
        np.testing.assert_allclose(model[tensor], values, rtol=1e-6, atol=1e-6 * np.abs(values).max(), err_msg=tensor)
    assert ended.result["n_iter"] == theirs.n_iter_ and ended.result["converged"] == theirs.converged_
    for key, value in {"log_likelihood": theirs.score(x), "bic": theirs.bic(x), "aic": theirs.aic(x), "lower_bound": theirs.lower_bound_}.items():
        assert ended.result[key] == pytest.approx(value, rel=1e-6), key
    assert np.array_equal(np.load(tmp_path / "o/labels.npy"), theirs.predict(x))
    np.testing.assert_allclose(np.load(tmp_path / "o/log_density.npy"), theirs.score_samples(x), rtol=1e-6)


@pytest.mark.parametrize("name", SETS)
def test_own_starts_are_as_likely(name, tmp_path):
    x = load(name)
    np.save(tmp_path / "x.npy", x)
    ours = done("gmm", tmp_path / "x.npy", "--n-components", 4, "--n-init", 5, "-o", tmp_path / "o").result["log_likelihood"]
    theirs = mixture.GaussianMixture(4, n_init=5, random_state=0).fit(x).score(x)
    assert ours >= theirs - 0.02 * max(1, abs(theirs))


def test_rows_held_out(tmp_path):
    x = load("sipu/a1")
    np.save(tmp_path / "fit.npy", x[::2])
    np.save(tmp_path / "held.npy", x[1::2])
    fitted = {}
    for k in (1, 20):
        done("gmm", tmp_path / "fit.npy", "--n-components", k, "--n-init", 3, "--probabilities", "-o", tmp_path / "o")
        held = done("apply", tmp_path / "o/model.safetensors", tmp_path / "held.npy", "-o", tmp_path / "h").result
        fitted[k] = held["log_likelihood"]
        model = safetensors.load_file(tmp_path / "o/model.safetensors")
        theirs = mixture.GaussianMixture(k)
        theirs.weights_, theirs.means_, theirs.covariances_, theirs.precisions_cholesky_ = (model[t] for t in ("weights", "means", "covariances", "precisions_cholesky"))
        assert held["log_likelihood"] == pytest.approx(theirs.score(x[1::2]), rel=1e-9)
        assert held["bic"] == pytest.approx(theirs.bic(x[1::2]), rel=1e-9)
        np.testing.assert_allclose(np.load(tmp_path / "h/responsibilities.npy"), theirs.predict_proba(x[1::2]), atol=1e-9)
    assert fitted[20] > fitted[1] + 0.5  # twenty groups are there, and rows held out say so


def test_samples_file(tmp_path):
    x = load("other/iris")
    np.savetxt(tmp_path / "x.csv", x, delimiter=",", header="a,b,c,d", comments="")
    done("gmm", tmp_path / "x.csv", "--n-components", 3, "--n-samples", 20000, "-o", tmp_path / "o")
    with open(tmp_path / "o/samples.csv") as file:
        assert file.readline().strip() == "a,b,c,d"
        drawn = np.loadtxt(file, delimiter=",")
    assert drawn.shape == (20000, 4)
    np.testing.assert_allclose(drawn.mean(axis=0), x.mean(axis=0), atol=0.05)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(x.T), atol=0.1)
