"""Writes the reference values of sluice/preprocess/preprocess_sklearn.h with scikit-learn's preprocessing.

    python tests/conformance/preprocess_sklearn.py > sluice/preprocess/preprocess_sklearn.h
"""
import warnings

import numpy as np
import sklearn
from sklearn.datasets import load_wine
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, OrdinalEncoder, RobustScaler, StandardScaler

warnings.filterwarnings("ignore")


def array(name, values):
    values = np.asarray(values, dtype=float).ravel()
    lines, line = [], ""
    for value in values:
        word = "kGap" if np.isnan(value) else repr(float(value))
        if len(line) + len(word) > 120:
            lines.append(line.rstrip())
            line = ""
        line += word + ", "
    lines.append(line.rstrip())
    print(f"inline const std::vector<double> {name} = {{\n    " + "\n    ".join(lines) + "};")


rows = 24
wine = load_wine().data[:rows * 7:7, [0, 4, 12]].copy()  # 24 rows of three columns of different units
wine = np.column_stack([wine, np.full(rows, 14.62), 1e8 + wine[:, 0]])
gaps = wine.copy()
gaps[3, 0] = gaps[8, 1] = gaps[9, 1] = gaps[20, 2] = np.nan
gaps[:, 1] = np.round(gaps[:, 1] / 10)  # repeated values, for the most frequent one

print(f"// Made by tests/conformance/preprocess_sklearn.py with scikit-learn {sklearn.__version__}; not to be edited by hand.")
print("// clang-format off\n#pragma once\n#include <cstdint>\n#include <limits>\n#include <vector>\n\nnamespace sluice::sklearn {\n")
print("inline const double kGap = std::numeric_limits<double>::quiet_NaN();")
print(f"constexpr int64_t kRows = {rows};\nconstexpr int64_t kCols = {wine.shape[1]};\n")
array("kWine", wine)
for name, scaler in [("Standard", StandardScaler()), ("MinMax", MinMaxScaler()), ("Robust", RobustScaler())]:
    array(f"k{name}", scaler.fit_transform(wine))
array("kGaps", gaps)
for name, strategy in [("Mean", "mean"), ("Median", "median"), ("MostFrequent", "most_frequent")]:
    array(f"kImpute{name}", SimpleImputer(strategy=strategy).fit_transform(gaps))
array("kImputeConstant", SimpleImputer(strategy="constant", fill_value=-1).fit_transform(gaps))

# Missing cells are ''; the most frequent level stands in for them.
levels = ["red", "blue", "", "red", "green", "red", "blue", "violet", "", "red", "Z", "blue"]
filled = np.array([["red" if level == "" else level] for level in levels])
encoder = OneHotEncoder(min_frequency=2, sparse_output=False, handle_unknown="infrequent_if_exist").fit(filled)
print("inline const std::vector<const char*> kLevels = {" + ", ".join(f'"{level}"' for level in levels) + "};")
print("inline const std::vector<const char*> kUnseen = {\"red\", \"mauve\", \"Z\"};")
print("inline const std::vector<const char*> kOneHotNames = {" + ", ".join(f'"{n}"' for n in encoder.get_feature_names_out(["colour"])) + "};")
array("kOneHot", encoder.transform(filled))
array("kOneHotUnseen", encoder.transform(np.array([["red"], ["mauve"], ["Z"]])))
array("kOneHotAll", OneHotEncoder(sparse_output=False).fit_transform(filled))
array("kOrdinal", OrdinalEncoder().fit_transform(filled))
print("\n}  // namespace sluice::sklearn")
