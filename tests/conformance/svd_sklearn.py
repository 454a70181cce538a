"""Writes the reference values of sluice/reduce/svd_sklearn.h with scikit-learn's TruncatedSVD.

    python tests/conformance/svd_sklearn.py > sluice/reduce/svd_sklearn.h
"""
import numpy as np
import sklearn
from sklearn.decomposition import TruncatedSVD


def numbers(values):
    return "{" + ", ".join(repr(float(v)) for v in np.asarray(values).ravel()) + "}"


def case(name, X, k):
    svd = TruncatedSVD(k, algorithm="arpack", tol=0).fit(X)
    fields = (X, svd.components_, svd.explained_variance_, svd.explained_variance_ratio_, svd.singular_values_, svd.transform(X))
    print(f"inline const SvdCase {name} = {{{X.shape[1]}, {k}")
    for values in fields:
        print("    , " + numbers(values))
    print("};")


rng = np.random.default_rng(8)
rotate = lambda d: np.linalg.qr(rng.normal(size=(d, d)))[0]
tall = rng.normal(size=(30, 5)) * [5, 3, 1, 0.5, 0.2] @ rotate(5) + [3, -1, 0, 2, 0.5]
wide = (rng.normal(size=(6, 9)) * np.linspace(3, 0.5, 9)) @ rotate(9) + 1
counts = rng.poisson(0.4, size=(20, 7)).astype(float)

print(f"// Made by tests/conformance/svd_sklearn.py with scikit-learn {sklearn.__version__}; not to be edited by hand.")
print("#pragma once\n#include <cstdint>\n#include <vector>\n\nnamespace sluice::sklearn {\n")
print("struct SvdCase {\n  int64_t cols, k;")
print("  std::vector<double> rows, components, explained_variance, explained_variance_ratio, singular_values, embedding;\n};\n")
case("kTallSvd", tall, 4)
case("kWideSvd", wide, 3)
case("kCountsSvd", counts, 5)
print("\n}  // namespace sluice::sklearn")
