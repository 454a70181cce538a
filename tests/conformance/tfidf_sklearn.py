#!/usr/bin/env python3
"""Writes sluice/preprocess/tfidf_sklearn.h: TF-IDF rows of scikit-learn for the tests of tfidf.h.

usage: tests/conformance/tfidf_sklearn.py > sluice/preprocess/tfidf_sklearn.h      (scikit-learn 1.9.1 made the file in the repository)
"""
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

WORDS = ("apple banana cherry damson elder fig grape hazel iris juniper kale lemon mango nettle olive pear quince rose sage thyme "
         "ulmus violet walnut xylem yarrow zinnia").split()
CASES = [
    ("plain", {"min_df": 1}),
    ("bounds", {"min_df": 3, "max_df": 0.4}),
    ("share", {"min_df": 0.1, "max_df": 12}),
    ("sublinear", {"min_df": 2, "sublinear_tf": True}),
]


def texts():
    rng = np.random.default_rng(5)
    chance = 1 / np.arange(1, len(WORDS) + 1)
    chance /= chance.sum()
    out = [" ".join(rng.choice(WORDS, size=int(n), p=chance)) for n in rng.integers(0, 9, size=40)]
    return out + ["apple apple apple apple fig", ""]


def numbers(values):
    return ", ".join(repr(float(v)) if isinstance(v, (float, np.floating)) else str(int(v)) for v in values)


def main():
    data = texts()
    print("// TF-IDF rows of scikit-learn 1.9.1 for the tests of tfidf.h. Written by tests/conformance/tfidf_sklearn.py: do not edit.")
    print("#pragma once\n#include <string>\n#include <vector>\n\n// clang-format off\nnamespace sluice::testing {\n")
    print("inline const std::vector<std::string> kTexts = {" + ", ".join('"' + t + '"' for t in data) + "};\n")
    print("struct SklearnTfidf {\n  const char* name;\n  std::vector<std::string> vocabulary;\n  std::vector<double> idf;\n"
          "  std::vector<long> offsets;\n  std::vector<int> indices;\n  std::vector<double> values;\n};\n")
    print("inline const std::vector<SklearnTfidf> kSklearnTfidf = {")
    for name, params in CASES:
        model = TfidfVectorizer(tokenizer=str.split, token_pattern=None, lowercase=False, **params)
        rows = model.fit_transform(data).tocsr()
        rows.sort_indices()
        words = ", ".join('"' + w + '"' for w in model.get_feature_names_out())
        print(f'    {{"{name}", {{{words}}},\n     {{{numbers(model.idf_)}}},\n     {{{numbers(rows.indptr)}}},\n'
              f"     {{{numbers(rows.indices)}}},\n     {{{numbers(rows.data)}}}}},")
    print("};\n\n}  // namespace sluice::testing\n// clang-format on")


if __name__ == "__main__":
    main()
