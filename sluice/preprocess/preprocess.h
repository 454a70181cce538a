// Raw tables to rows of numbers an algorithm can use: fitted once, saved, and applied to new rows identically.
//
// Steps, always in this order, each on what the one before left:
//   1 duplicates        rows equal to an earlier one in all columns used are dropped, that one being their witness (core/duplicates.h)
//   2 impute            gaps are filled, or their rows dropped, or refused (impute.h); a column without any value is left out
//   3 outliers          extreme numbers are pulled in, or their rows dropped (outliers.h)
//   4 encode            text columns become 0/1 columns or numbers (encode.h)
//   5 scale             numbers are centred and scaled; 0/1 columns are not (scale.h)
//   6 constant_columns  columns with one value only are left out
// Use before any algorithm that takes numbers. Where the table is clean numbers and nothing needs to change, its own source is handed on.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/core/context.h"
#include "sluice/core/model_file.h"
#include "sluice/core/params.h"
#include "sluice/core/table.h"
#include "sluice/preprocess/encode.h"
#include "sluice/preprocess/impute.h"
#include "sluice/preprocess/outliers.h"
#include "sluice/preprocess/scale.h"

namespace sluice {

enum class Keep : uint8_t { kKeep, kDrop };

struct PreprocessParams {
  Keep duplicates = Keep::kKeep;
  Impute impute = Impute::kMedian;
  double fill_value = 0;
  std::string fill_text = "missing";
  Outliers outliers = Outliers::kNone;
  OutlierOptions limits;
  Encode encode = Encode::kOneHot;
  double min_frequency = 0;
  int64_t max_levels = 64;
  Unknown unknown = Unknown::kOther;
  Scale scale = Scale::kAuto;
  Keep constant_columns = Keep::kDrop;

  template <class Visitor>
  void describe(Visitor&& v) {
    const Choices<Keep> keep{{{"keep", Keep::kKeep}, {"drop", Keep::kDrop}}};
    v(duplicates, "duplicates", keep, "Rows that equal an earlier row in every column used; dropped ones name that row as their witness.");
    v(impute, "impute",
      Choices<Impute>{{{"median", Impute::kMedian},
                       {"mean", Impute::kMean},
                       {"most_frequent", Impute::kMostFrequent},
                       {"constant", Impute::kConstant},
                       {"drop", Impute::kDrop},
                       {"refuse", Impute::kRefuse}}},
      "Missing cells: filled by the column's median, mean or most frequent value or a constant (texts: always the most frequent or the "
      "constant), or their rows dropped, or refused.",
      "mean");
    v(fill_value, "fill_value", Range<double>{-1e300, 1e300}, "The number that impute constant puts.");
    v(fill_text, "fill_text", Text{}, "The text that impute constant puts; may not be empty.", "missing_value");
    v(outliers, "outliers",
      Choices<Outliers>{
          {{"none", Outliers::kNone}, {"winsorize", Outliers::kWinsorize}, {"zscore", Outliers::kZScore}, {"iqr", Outliers::kIqr}}},
      "Extreme numbers: left, pulled in to two quantiles (winsorize), or their rows dropped by distance from the mean (zscore) or from the "
      "quartiles (iqr).");
    v(limits.lower_quantile, "lower_quantile", Range<double>{0, 0.5}, "Winsorize: values below this quantile are set to it.");
    v(limits.upper_quantile, "upper_quantile", Range<double>{0.5, 1}, "Winsorize: values above this quantile are set to it.");
    v(limits.z_threshold, "z_threshold", Range<double>{0.1, 1e6},
      "Zscore: standard deviations from the mean beyond which a row is dropped.");
    v(limits.iqr_factor, "iqr_factor", Range<double>{0.1, 1e6},
      "Iqr: interquartile ranges beyond a quartile at which a row is dropped. 1.5 drops most rows of wide tables, so 3.");
    v(encode, "encode",
      Choices<Encode>{{{"onehot", Encode::kOneHot}, {"ordinal", Encode::kOrdinal}, {"drop", Encode::kDrop}, {"refuse", Encode::kRefuse}}},
      "Text columns: a 0/1 column a level, one column of level numbers in byte order, left out, or refused.");
    v(min_frequency, "min_frequency", Range<double>{0, 1e15},
      "Levels with fewer rows than this (below 1: than this share of them) are put together as 'other'.", "None");
    v(max_levels, "max_levels", Range<int64_t>{2, 100'000},
      "Most levels a text column keeps, 'other' counted; the least frequent are put together.", "None");
    v(unknown, "unknown", Choices<Unknown>{{{"other", Unknown::kOther}, {"error", Unknown::kError}}},
      "A level that the fit did not keep: counts as 'other' (all zeros where the column has none), or is refused where there is no "
      "'other'.",
      "error");
    v(scale, "scale",
      Choices<Scale>{{{"auto", Scale::kAuto},
                      {"standard", Scale::kStandard},
                      {"minmax", Scale::kMinMax},
                      {"robust", Scale::kRobust},
                      {"none", Scale::kNone}}},
      "Columns of numbers: to mean 0 and deviation 1, to 0..1, to median 0 and interquartile range 1, or as they are; auto: none for "
      "images, embeddings and "
      "columns that share one unit, standard otherwise, the reason printed.");
    v(constant_columns, "constant_columns", keep, "Columns with a single value; kept where nothing else is left, and for images.");
  }
};

// One column of the input.
struct PreprocessInput {
  std::string name;
  bool text = false;
  bool used = true;  // false: left out
  double fill = 0;   // numbers: for a missing value (kDrop, kRefuse: none is put)
  double low = 0;    // numbers: the limits of step 3
  double high = 0;
  std::string fill_text;            // texts: for a missing cell
  std::vector<std::string> levels;  // texts: ascending
  bool other = false;               // texts: rare levels have a level of their own, the last
};

// One column of the output: a column of numbers, an indicator of one level (level = levels.size(): other), or a level's number.
struct PreprocessOutput {
  std::string name;    // `column`, `column=level`, `column=other`
  int64_t input = 0;   // place in inputs
  int64_t level = -1;  // -1: the number itself
  double center = 0;
  double scale = 1;
};

struct PreprocessModel {
  PreprocessParams params;  // as fitted: scale is never kAuto
  std::vector<PreprocessInput> inputs;
  std::vector<PreprocessOutput> outputs;
};

// The fate of a dropped row; kept rows have none.
struct RowFate {
  int64_t row = 0;          // input row number
  std::string_view reason;  // "duplicate", "missing", "outlier": what a row account counts by
  int64_t witness = -1;     // duplicates: the kept row that equals it
  std::string detail{};     // of the others: "column x is 17, beyond [1, 9]"
};

struct PreprocessRows {
  std::shared_ptr<Source> rows;    // named columns, statistics measured
  std::vector<int64_t> kept_rows;  // input row numbers, ascending; empty: all
  std::vector<RowFate> dropped;    // ascending by row
};

struct PreprocessFit {
  PreprocessModel model;
  std::shared_ptr<Source> rows;
  std::vector<int64_t> kept_rows;
  std::vector<RowFate> dropped;
  std::vector<std::string> notes;  // what was decided, and why
};

// Fits all steps and applies them. Cost: a few passes a step (see the steps' headers). Memory: 4 bytes a row and text column, 16 a row
// while duplicates are looked for, 8 a kept row once any is dropped; the rows themselves lie in a RowStore, so in memory or a spool file.
// Same bits for any threads, ranks, memory and storage type. Measures table.numbers where that was not done yet.
// Throws Error{kBadInput}: no row or no column, an infinite value, an integer beyond 2^53, a gap or a text that is to be refused, no row
// left.
PreprocessFit preprocess_fit(const Table& table, const PreprocessParams& params, Context& ctx, RowsKind kind = RowsKind::kTable);

// The fitted steps on another table with the same columns by name, in any order; further columns are not looked at. Row for row: nothing is
// dropped, a row with values beyond its limits stays (winsorised ones are pulled in). Gives the fit's rows bit for bit, if none was
// dropped. Throws Error{kBadInput} naming missing columns, a gap (impute drop or refuse), an unknown level (see `unknown`), text where
// numbers were.
std::shared_ptr<Source> preprocess_apply(const PreprocessModel& model, const Table& table, Context& ctx);

// The same, and drops rows by the model's rules: duplicates among the new rows, gaps, values beyond the fitted limits. On the fit's own
// table this gives the fit's rows, kept_rows and dropped exactly.
PreprocessRows preprocess_rows(const PreprocessModel& model, const Table& table, Context& ctx);

ModelFile save_preprocess(const PreprocessModel& model);
PreprocessModel load_preprocess(const ModelFile& file);  // Error{kBadModel} when anything in it cannot be

}  // namespace sluice
