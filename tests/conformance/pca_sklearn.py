"""Writes the reference values of sluice/reduce/pca_sklearn.h with scikit-learn's PCA.

    python tests/conformance/pca_sklearn.py > sluice/reduce/pca_sklearn.h
"""
import numpy as np
import sklearn
from sklearn.decomposition import PCA
from sklearn.decomposition._pca import _infer_dimension


def array(name, values):
    lines, line = [], ""
    for value in np.asarray(values, dtype=float).ravel():
        word = repr(float(value))
        if len(line) + len(word) > 120:
            lines.append(line.rstrip())
            line = ""
        line += word + ", "
    lines.append(line.rstrip())
    print(f"inline const std::vector<double> {name} = {{\n    " + "\n    ".join(lines) + "};")


def case(name, X, offset=0.0, **params):
    """What a fit on X gives. The reference for X + offset is the fit on X: floating point loses the rest."""
    pca = PCA(svd_solver="full", **params).fit(X)
    k = len(pca.components_)
    rows = "&kTall" if X is tall else "&kWide"
    print(f"inline const PcaCase {name} = {{{rows}, {X.shape[1]}, {offset!r}, \"{params.get('n_components', 'all')}\", {str(pca.whiten).lower()}, {k},")
    for values in (pca.mean_, pca.components_, pca.explained_variance_, pca.explained_variance_ratio_, pca.singular_values_, pca.transform(X)):
        print("    {" + ", ".join(repr(float(v)) for v in values.ravel()) + "},")
    print(f"    {float(pca.noise_variance_)!r}}};")


rng = np.random.default_rng(3)
# Rounded so that adding 1e8 is exact to the last place kept: 2^-20 is above the spacing of doubles there.
grid = lambda X: np.round(X * 2.0**20) / 2.0**20
tall = grid(rng.normal(size=(40, 5)) * [5, 3, 1, 0.5, 0.1] @ np.linalg.qr(rng.normal(size=(5, 5)))[0])
wide = grid(rng.normal(size=(6, 9)) * np.linspace(3, 0.5, 9))

print(f"// Made by tests/conformance/pca_sklearn.py with scikit-learn {sklearn.__version__}; not to be edited by hand.")
print("#pragma once\n#include <cstdint>\n#include <vector>\n\nnamespace sluice::sklearn {\n")
print("struct PcaCase {\n  const std::vector<double>* rows;\n  int64_t cols;\n  double offset;  // added to every value\n  const char* n_components;\n  bool whiten;")
print("  int64_t k;\n  std::vector<double> mean, components, explained_variance, explained_variance_ratio, singular_values, embedding;\n  double noise_variance;\n};\n")
array("kTall", tall)
array("kWide", wide)
case("kAll", tall)
case("kThree", tall, n_components=3)
case("kOffset", tall, 1e8, n_components=4)
case("kShare", tall, n_components=0.95)
case("kMle", tall, n_components="mle")
case("kWhiten", tall, n_components=4, whiten=True)
case("kWideThree", wide, n_components=3)
case("kWideShare", wide, n_components=0.8)
case("kWideOffset", wide, 1e8, n_components=2)

print("\nstruct MleCase {\n  double n;\n  int64_t dimension;\n  std::vector<double> variances;\n};\ninline const std::vector<MleCase> kMleCases = {")
for n, d, strong in [(200, 8, 3), (50, 8, 2), (1000, 30, 10), (40, 30, 5), (100, 2, 1), (500, 12, 12)]:
    X = rng.normal(size=(n, d)) * np.where(np.arange(d) < strong, np.linspace(6, 3, d), 1.0)
    spectrum = PCA(svd_solver="full").fit(X).explained_variance_
    print(f"    {{{n}, {int(_infer_dimension(spectrum, n))}, {{" + ", ".join(repr(float(v)) for v in spectrum) + "}},")
print("};\n\n}  // namespace sluice::sklearn")
