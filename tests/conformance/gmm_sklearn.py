"""Writes the reference values of sluice/mixture/gmm_sklearn.h with scikit-learn's GaussianMixture on the iris flowers.

    python tests/conformance/gmm_sklearn.py > sluice/mixture/gmm_sklearn.h

Starts are equal on both sides: all parameters given, or the means alone with groups of the rows nearest to each.
"""
import warnings

import numpy as np
import sklearn
from sklearn.datasets import load_iris
from sklearn.mixture import GaussianMixture

warnings.simplefilter("ignore")  # cases that are stopped before they converge
X = load_iris().data
n, d = X.shape
K = 3


class FromGroups(GaussianMixture):
    """Begins with the rows nearest to each of means_init."""

    def _initialize_parameters(self, X, *args, **kwargs):
        nearest = ((X[:, None, :] - self.means_init[None]) ** 2).sum(axis=2).argmin(axis=1)
        self._initialize(X, np.eye(len(self.means_init))[nearest])


def numbers(values):
    return "{" + ", ".join(repr(float(v)) for v in np.asarray(values).ravel()) + "}"


def case(name, kind, given, **params):
    rng = np.random.default_rng(8)
    means = X[[7, 60, 120]] + 0.25 * rng.normal(size=(K, d))
    weights = np.array([0.2, 0.5, 0.3])
    A = rng.normal(size=(K, d, d))
    full = np.linalg.inv(A @ A.transpose(0, 2, 1) / d + 0.3 * np.eye(d))
    full = (full + full.transpose(0, 2, 1)) / 2
    precisions = {"full": full, "tied": full[0], "diag": 1 / rng.uniform(0.2, 1, (K, d)), "spherical": 1 / rng.uniform(0.2, 1, K)}[kind]
    starts = dict(means_init=means)
    if given:
        starts.update(weights_init=weights, precisions_init=precisions)
    model = (GaussianMixture if given else FromGroups)(K, covariance_type=kind, **starts, **params).fit(X)
    print(f'    {{"{name}", CovarianceType::{ {"full": "kFull", "tied": "kTied", "diag": "kDiag", "spherical": "kSpherical"}[kind] },')
    print(f"     {params.get('tol', 1e-3)!r}, {params.get('reg_covar', 1e-6)!r}, {params.get('max_iter', 100)},")
    print(f"     {numbers(weights if given else [])}, {numbers(means)}, {numbers(precisions if given else [])},")
    print(f"     {model.n_iter_}, {str(bool(model.converged_)).lower()}, {float(model.lower_bound_)!r}, {float(model.score(X))!r},")
    print(f"     {float(model.bic(X))!r}, {float(model.aic(X))!r},")
    for values in (model.weights_, model.means_, model.covariances_, model.precisions_cholesky_):
        print(f"     {numbers(values)},")
    print(f"     {numbers(model.score_samples(X)[:10])},")
    print(f"     {{{', '.join(str(int(c)) for c in model.predict(X))}}}}},")


print(f"// Made by tests/conformance/gmm_sklearn.py with scikit-learn {sklearn.__version__}; not to be edited by hand.")
print("// clang-format off\n#pragma once\n#include <cstdint>\n#include <vector>\n\n#include \"sluice/mixture/gmm.h\"\n\nnamespace sluice::sklearn {\n")
print(f"inline constexpr int64_t kIrisRows = {n}, kIrisCols = {d}, kComponents = {K};")
print(f"inline const std::vector<double> kIris = {numbers(X)};\n")
print("struct GmmCase {\n  const char* name;\n  CovarianceType type;\n  double tol, reg_covar;\n  int64_t max_iter;")
print("  std::vector<double> weights_init, means_init, precisions_init;  // empty: from the groups about the means")
print("  int64_t n_iter;\n  bool converged;\n  double lower_bound, score, bic, aic;")
print("  std::vector<double> weights, means, covariances, precisions_cholesky, score_samples;\n  std::vector<int32_t> labels;\n};")
print("inline const std::vector<GmmCase> kGmm = {")
for kind in ("full", "tied", "diag", "spherical"):
    case(kind + ", all given", kind, True)
    case(kind + ", groups", kind, False)
    case(kind + ", 30 steps", kind, True, tol=0.0, max_iter=30)
case("full, wide ridge", "full", True, reg_covar=0.1)
print("};\n\n}  // namespace sluice::sklearn")
