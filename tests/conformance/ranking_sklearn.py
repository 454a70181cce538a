"""Writes the reference values of sluice/metrics/ranking_sklearn.h with scikit-learn's ranking measures.

    python tests/conformance/ranking_sklearn.py > sluice/metrics/ranking_sklearn.h
"""
import numpy as np
import sklearn
from sklearn.metrics import average_precision_score, roc_auc_score

print(f"// Made by tests/conformance/ranking_sklearn.py with scikit-learn {sklearn.__version__}; not to be edited by hand.")
print("// clang-format off\n#pragma once\n#include <cstdint>\n#include <vector>\n\nnamespace sluice::sklearn {\n")
print("struct Ranking {\n  const char* name;\n  std::vector<double> scores;\n  std::vector<uint8_t> positive;\n  double roc_auc, average_precision;\n};")
print("inline const std::vector<Ranking> kRanking = {")


def case(name, scores, positive):
    print(f'    {{"{name}", {{{", ".join(repr(float(s)) for s in scores)}}},\n     {{{", ".join(str(int(p)) for p in positive)}}},')
    print(f"     {float(roc_auc_score(positive, scores))!r}, {float(average_precision_score(positive, scores))!r}}},")


rng = np.random.default_rng(4)
rare = rng.random(80) < 0.1
case("rare and noisy", rng.normal(size=80) + 1.5 * rare, rare)
case("many ties", rng.integers(0, 4, size=60), rng.random(60) < 0.4)
case("two scores only", [0, 1, 1, 0, 1], [0, 1, 0, 1, 1])
case("perfect", [3, 2, 1, 0], [1, 1, 0, 0])
case("reversed", [0, 1, 2, 3, 4], [1, 1, 0, 0, 0])
case("all equal", [1, 1, 1, 1, 1, 1], [1, 0, 0, 0, 1, 0])
case("huge and tiny", [1e300, -1e300, 1e-300, -1e-300, 0, 5], [1, 0, 0, 1, 0, 1])
print("};\n\n}  // namespace sluice::sklearn")
