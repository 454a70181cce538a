#include "sluice/preprocess/preprocess.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "sluice/comm/thread_ranks.h"
#include "sluice/core/random.h"
#include "sluice/preprocess/preprocess_sklearn.h"
#include "sluice/preprocess/testing.h"

namespace sluice {
namespace {

using sluice::testing::add_texts;
using sluice::testing::context;
using sluice::testing::kGap;
using sluice::testing::numbers;
using sluice::testing::values_of;
using ::testing::Contains;
using ::testing::HasSubstr;

bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0);
}

Error error_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was refused";
  return Error(ErrorCode::kBug, "", "", "");
}

// Rows of different units with gaps, outliers and duplicates, and two text columns.
Table untidy(int64_t rows) {
  static const char* const kColours[] = {"red", "blue", "green", "", "Z", "\xC3\xA4\xFF"};
  std::vector<double> x;
  std::vector<const char*> colour, size;
  for (int64_t i = 0; i < rows; ++i) {
    Random random(11, RandomStage::kSubsample, static_cast<uint64_t>(i % 7 == 3 ? i - 1 : i));  // some rows repeat the one before
    const double z = random.normal();
    x.push_back(random.below(20) == 0 ? kGap : z * 1000 + 1e8);
    x.push_back(random.below(300) == 0 ? 1e5 : random.normal());
    x.push_back(static_cast<double>(random.below(3)));
    x.push_back(14.62);
    x.push_back(kGap);
    colour.push_back(kColours[random.below(random.below(40) == 0 ? 6 : 4)]);
    size.push_back(random.below(2) == 0 ? "L" : "S");
  }
  Table table = numbers(x, 5);
  add_texts(table, "colour", colour);
  add_texts(table, "size", size);
  return table;
}

PreprocessParams params_of(std::initializer_list<std::pair<const char*, const char*>> values) {
  PreprocessParams params;
  for (const auto& [name, value] : values) set_param(params, name, value);
  return params;
}

const PreprocessParams kMany[] = {
    PreprocessParams{},
    params_of({{"duplicates", "drop"}, {"outliers", "zscore"}, {"scale", "standard"}, {"min_frequency", "0.05"}}),
    params_of({{"impute", "drop"}, {"duplicates", "drop"}, {"outliers", "iqr"}, {"scale", "robust"}, {"encode", "ordinal"}}),
    params_of(
        {{"impute", "most_frequent"}, {"outliers", "winsorize"}, {"scale", "minmax"}, {"max_levels", "3"}, {"constant_columns", "keep"}}),
    params_of({{"impute", "constant"}, {"fill_value", "-1"}, {"scale", "none"}, {"encode", "drop"}}),
    params_of({{"impute", "mean"}, {"scale", "auto"}, {"unknown", "error"}}),
};

TEST(Preprocess, SavedAndAppliedItGivesTheFitsOwnRows) {
  for (const PreprocessParams& params : kMany) {
    const Table table = untidy(3000);
    Context ctx = context(2);
    const PreprocessFit fit = preprocess_fit(table, params, ctx);
    const PreprocessModel model = load_preprocess(decode_model(encode_model(save_preprocess(fit.model)), "m"));
    EXPECT_EQ(param_values(model.params), param_values(fit.model.params));
    const PreprocessRows again = preprocess_rows(model, table, ctx);
    EXPECT_EQ(again.kept_rows, fit.kept_rows);
    EXPECT_EQ(again.rows->names, fit.rows->names);
    EXPECT_TRUE(same_bits(values_of(*again.rows), values_of(*fit.rows)));
    ASSERT_EQ(again.dropped.size(), fit.dropped.size());
    for (size_t i = 0; i < fit.dropped.size(); ++i) {
      EXPECT_EQ(again.dropped[i].row, fit.dropped[i].row);
      EXPECT_EQ(again.dropped[i].reason, fit.dropped[i].reason);
      EXPECT_EQ(again.dropped[i].witness, fit.dropped[i].witness);
      EXPECT_EQ(again.dropped[i].detail, fit.dropped[i].detail);
    }
    // Every row is kept or dropped, and dropped once.
    const size_t kept = fit.kept_rows.empty() ? static_cast<size_t>(table.rows) : fit.kept_rows.size();
    EXPECT_EQ(kept + fit.dropped.size(), static_cast<size_t>(table.rows));
    EXPECT_EQ(fit.rows->rows(), static_cast<int64_t>(kept));
    EXPECT_TRUE(fit.rows->stats.measured);
    EXPECT_TRUE(fit.rows->stats.clean());
    if (params.impute == Impute::kDrop) continue;
    // Row for row, apply gives the kept rows' values.
    const std::vector<double> all = values_of(*preprocess_apply(model, table, ctx));
    const auto d = static_cast<size_t>(fit.rows->cols());
    std::vector<double> chosen;
    for (size_t i = 0; i < kept; ++i) {
      const size_t row = fit.kept_rows.empty() ? i : static_cast<size_t>(fit.kept_rows[i]);
      chosen.insert(chosen.end(), all.begin() + static_cast<std::ptrdiff_t>(row * d),
                    all.begin() + static_cast<std::ptrdiff_t>((row + 1) * d));
    }
    EXPECT_TRUE(same_bits(chosen, values_of(*fit.rows)));
  }
}

TEST(Preprocess, SameBitsForThreadsMemoryAndRanks) {
  for (const PreprocessParams& params : kMany) {
    Context one = context(1);
    const PreprocessFit want = preprocess_fit(untidy(9000), params, one);
    const Bytes model = encode_model(save_preprocess(want.model));
    const std::vector<double> rows = values_of(*want.rows);
    const auto check = [&](Context ctx) {
      const PreprocessFit got = preprocess_fit(untidy(9000), params, ctx);
      EXPECT_TRUE(encode_model(save_preprocess(got.model)) == model);
      EXPECT_EQ(got.kept_rows, want.kept_rows);
      EXPECT_EQ(got.notes, want.notes);
      EXPECT_TRUE(same_bits(values_of(*got.rows), rows));
      EXPECT_EQ(got.rows->stats.content, want.rows->stats.content);
    };
    for (const int threads : {2, 3}) check(context(threads));
    Context poor = context(2);
    poor.memory = 200'000;  // the rows go to a spool file
    check(poor);
    run_as_ranks(3, [&](Communicator& comm) {
      Context ctx = context(1);
      ctx.comm = &comm;
      check(ctx);
    });
  }
}

TEST(Preprocess, OtherLeavesAgreeWithinTolerance) {
  for (const PreprocessParams& params : kMany) {
    Context one = context(1);
    const PreprocessFit want = preprocess_fit(untidy(2000), params, one);
    const std::vector<double> rows = values_of(*want.rows);
    for (const int64_t leaf : {1, 7, 8193}) {
      Context ctx = context(2, leaf);
      const PreprocessFit got = preprocess_fit(untidy(2000), params, ctx);
      EXPECT_EQ(got.kept_rows, want.kept_rows);
      const std::vector<double> mine = values_of(*got.rows);
      ASSERT_EQ(mine.size(), rows.size());
      for (size_t i = 0; i < rows.size(); ++i) ASSERT_NEAR(mine[i], rows[i], 1e-10 * std::max(1.0, std::fabs(rows[i]) * 1e-3)) << i;
    }
  }
}

TEST(Preprocess, StandardisedRowsEqualScikitLearn) {
  Table table = numbers(sklearn::kWine, sklearn::kCols);
  Context ctx = context(2);
  const PreprocessFit fit = preprocess_fit(table, params_of({{"scale", "standard"}, {"constant_columns", "keep"}}), ctx);
  const std::vector<double> got = values_of(*fit.rows);
  for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], sklearn::kStandard[i], i % 5 == 4 ? 2e-7 : 1e-13);
  for (size_t i = 3; i < got.size(); i += 5) EXPECT_EQ(got[i], 0);
}

TEST(Preprocess, OneHotEqualsScikitLearn) {
  Table table;
  add_texts(table, "colour", sklearn::kLevels);
  Context ctx = context();
  const PreprocessParams params = params_of({{"min_frequency", "2"}, {"constant_columns", "keep"}});
  const PreprocessFit fit = preprocess_fit(table, params, ctx);
  EXPECT_TRUE(same_bits(values_of(*fit.rows), sklearn::kOneHot));
  EXPECT_EQ(fit.rows->names, (std::vector<std::string>{"colour=blue", "colour=red", "colour=other"}));
  ASSERT_EQ(fit.rows->names.size(), sklearn::kOneHotNames.size());
  Table unseen;
  add_texts(unseen, "colour", sklearn::kUnseen);
  EXPECT_TRUE(same_bits(values_of(*preprocess_apply(fit.model, unseen, ctx)), sklearn::kOneHotUnseen));
  EXPECT_TRUE(same_bits(values_of(*preprocess_fit(table, PreprocessParams{}, ctx).rows), sklearn::kOneHotAll));
  const PreprocessFit ordinal = preprocess_fit(table, params_of({{"encode", "ordinal"}, {"scale", "none"}}), ctx);
  EXPECT_TRUE(same_bits(values_of(*ordinal.rows), sklearn::kOrdinal));
  EXPECT_EQ(ordinal.rows->names, (std::vector<std::string>{"colour"}));
}

TEST(Preprocess, UnknownLevels) {
  Table table;
  add_texts(table, "t", {"a", "b", "a"});
  Table other;
  add_texts(other, "t", {"a", "x"});
  Context ctx = context();
  const PreprocessFit lenient = preprocess_fit(table, PreprocessParams{}, ctx);
  EXPECT_EQ(values_of(*preprocess_apply(lenient.model, other, ctx)), (std::vector<double>{1, 0, 0, 0}));
  const PreprocessFit strict = preprocess_fit(table, params_of({{"unknown", "error"}}), ctx);
  const Error error = error_of([&] { preprocess_apply(strict.model, other, ctx); });
  EXPECT_EQ(error.code, ErrorCode::kBadInput);
  EXPECT_EQ(error.where, "row 1, column t");
  const PreprocessFit ordinal = preprocess_fit(table, params_of({{"encode", "ordinal"}, {"scale", "none"}}), ctx);
  EXPECT_EQ(values_of(*preprocess_apply(ordinal.model, other, ctx)), (std::vector<double>{0, 2}));
}

TEST(Preprocess, CleanNumbersAreHandedOnAsTheyAre) {
  Table table = numbers({1.5, 2, 2.5, 9, 4, 1}, 2);
  Context ctx = context();
  const PreprocessFit fit = preprocess_fit(table, params_of({{"scale", "none"}}), ctx);
  EXPECT_EQ(fit.rows.get(), table.numbers.get());
  EXPECT_EQ(preprocess_apply(fit.model, table, ctx).get(), table.numbers.get());
  EXPECT_EQ(fit.rows->names, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(fit.kept_rows.empty());
}

TEST(Preprocess, DigitsStayAsTheyAre) {
  std::optional<Table> table = testing::data_set("images/digits8x8.csv.gz", 1);
  if (!table) GTEST_SKIP() << "no images/digits8x8.csv.gz under SLUICE_DATA";
  Context ctx = context(2);
  const PreprocessFit images = preprocess_fit(*table, PreprocessParams{}, ctx, RowsKind::kImages);
  EXPECT_EQ(images.rows.get(), table->numbers.get());
  const PreprocessFit rows = preprocess_fit(*table, PreprocessParams{}, ctx);
  EXPECT_EQ(rows.model.params.scale, Scale::kNone);
  EXPECT_EQ(rows.rows->cols(), 61);  // three pixels are always 0
  EXPECT_THAT(rows.notes, Contains(HasSubstr("whole numbers of one range, 0 to 16")));
}

TEST(Preprocess, DuplicatesHaveAKeptWitness) {
  Table table = numbers({1, kGap, 2, 3, 1, kGap, 2, 3, 1, kGap, 2, 4}, 2);
  Context ctx = context();
  const PreprocessFit fit = preprocess_fit(table, params_of({{"duplicates", "drop"}, {"scale", "none"}}), ctx);
  EXPECT_EQ(fit.kept_rows, (std::vector<int64_t>{0, 1, 5}));
  ASSERT_EQ(fit.dropped.size(), 3u);
  EXPECT_EQ(fit.dropped[0].row, 2);
  EXPECT_EQ(fit.dropped[0].witness, 0);
  EXPECT_EQ(fit.dropped[1].witness, 1);
  EXPECT_EQ(fit.dropped[2].reason, "duplicate");
  EXPECT_EQ(values_of(*fit.rows), (std::vector<double>{1, 3.5, 2, 3, 2, 4}));  // the gap is filled by the median of the kept rows
}

TEST(Preprocess, DroppedRowsSayWhy) {
  std::vector<double> x;
  for (int i = 0; i < 40; ++i) x.push_back(i % 5);
  x[7] = 1000;
  x[9] = kGap;
  Table table = numbers(x, 1);
  Context ctx = context();
  const PreprocessFit fit = preprocess_fit(table, params_of({{"impute", "drop"}, {"outliers", "iqr"}, {"scale", "none"}}), ctx);
  ASSERT_EQ(fit.dropped.size(), 2u);
  EXPECT_EQ(fit.dropped[0].row, 7);
  EXPECT_EQ(fit.dropped[0].reason, "outlier");
  EXPECT_THAT(fit.dropped[0].detail, HasSubstr("column a is 1000, beyond"));
  EXPECT_EQ(fit.dropped[1].row, 9);
  EXPECT_EQ(fit.dropped[1].reason, "missing");
  EXPECT_EQ(fit.kept_rows.size(), 38u);
}

TEST(Preprocess, WinsorisedValuesMeetTheirQuantiles) {
  std::vector<double> x;
  for (int i = 0; i <= 100; ++i) x.push_back(i);
  Table table = numbers(x, 1);
  Context ctx = context();
  const PreprocessFit fit =
      preprocess_fit(table, params_of({{"outliers", "winsorize"}, {"lower_quantile", "0.1"}, {"scale", "none"}}), ctx);
  const std::vector<double> got = values_of(*fit.rows);
  for (size_t i = 0; i < got.size(); ++i) EXPECT_EQ(got[i], std::min(99.0, std::max(10.0, x[i])));
}

TEST(Preprocess, SmallAndEmptyInputsEndWell) {
  Context ctx = context(2);
  Table one = numbers({3, kGap}, 2);
  const PreprocessFit fit = preprocess_fit(one, params_of({{"scale", "standard"}}), ctx);
  EXPECT_EQ(fit.rows->names, (std::vector<std::string>{"a"}));  // b holds nothing
  EXPECT_EQ(values_of(*fit.rows), (std::vector<double>{0}));
  Table constant = numbers({2, 5, 2, 5}, 2);
  EXPECT_EQ(preprocess_fit(constant, PreprocessParams{}, ctx).rows->cols(), 2);
  Table nothing;
  nothing.columns.push_back({"a", ColumnType::kReal, 0, false});
  EXPECT_EQ(error_of([&] { preprocess_fit(nothing, PreprocessParams{}, ctx); }).code, ErrorCode::kBadInput);
  Table gaps = numbers({kGap, kGap}, 1);
  EXPECT_EQ(error_of([&] { preprocess_fit(gaps, PreprocessParams{}, ctx); }).code, ErrorCode::kBadInput);
  EXPECT_EQ(values_of(*preprocess_fit(gaps, params_of({{"impute", "constant"}}), ctx).rows), (std::vector<double>{0, 0}));
}

TEST(Preprocess, RefusesWhatItCannotUse) {
  Context ctx = context();
  const double inf = std::numeric_limits<double>::infinity();
  Table infinite = numbers({1, 2, inf, 4}, 1);
  const Error error = error_of([&] { preprocess_fit(infinite, PreprocessParams{}, ctx); });
  EXPECT_EQ(error.code, ErrorCode::kBadInput);
  EXPECT_EQ(error.where, "row 2, column a");
  Table gap = numbers({1, 2, 3, kGap}, 2);
  EXPECT_EQ(error_of([&] { preprocess_fit(gap, params_of({{"impute", "refuse"}}), ctx); }).where, "row 1, column b");
  Table text = numbers({1, 2}, 1);
  add_texts(text, "t", {"x", "y"});
  EXPECT_EQ(error_of([&] { preprocess_fit(text, params_of({{"encode", "refuse"}}), ctx); }).where, "column t");
  Table large = numbers({1, 2}, 1);
  large.columns[0].beyond_double = true;
  EXPECT_THAT(error_of([&] { preprocess_fit(large, PreprocessParams{}, ctx); }).message, HasSubstr("2^53"));
  Table twice = numbers({1, 2}, 2);
  twice.columns[1].name = "a";
  EXPECT_THAT(error_of([&] { preprocess_fit(twice, PreprocessParams{}, ctx); }).message, HasSubstr("two columns"));
  Table wide = numbers({1.7e308, -1.7e308, 1.7e308, 1}, 1);
  EXPECT_EQ(error_of([&] { preprocess_fit(wide, params_of({{"scale", "minmax"}}), ctx); }).code, ErrorCode::kNumerical);
  EXPECT_THROW(params_of({{"max_levels", "1"}}), Error);
}

TEST(Preprocess, ApplyFindsColumnsByName) {
  Table table = numbers({1, 10, 2, 30, 3, 20}, 2);
  Context ctx = context();
  const PreprocessFit fit = preprocess_fit(table, params_of({{"scale", "minmax"}}), ctx);
  Table swapped = numbers({7, 30, 1}, 3);
  swapped.columns[0].name = "extra";
  swapped.columns[1].name = "b";
  swapped.columns[2].name = "a";
  EXPECT_EQ(values_of(*preprocess_apply(fit.model, swapped, ctx)), (std::vector<double>{0, 1}));
  Table lacking = numbers({1}, 1);
  const Error error = error_of([&] { preprocess_apply(fit.model, lacking, ctx); });
  EXPECT_EQ(error.code, ErrorCode::kBadInput);
  EXPECT_THAT(error.message, HasSubstr(": b"));
  Table wrong = numbers({1}, 1);
  add_texts(wrong, "b", {"n/a"});
  EXPECT_THAT(error_of([&] { preprocess_apply(fit.model, wrong, ctx); }).message, HasSubstr("row 0 holds 'n/a'"));
  Table gap = numbers({kGap, 20}, 2);
  EXPECT_EQ(values_of(*preprocess_apply(fit.model, gap, ctx)), (std::vector<double>{0.5, 0.5}));  // gaps that the fit never met are filled
}

TEST(Preprocess, WholeNumbersStandInForTexts) {
  Table table;
  add_texts(table, "zip", {"10", "20", "x"});
  Context ctx = context();
  const PreprocessFit fit = preprocess_fit(table, PreprocessParams{}, ctx);
  Table other = numbers({20, 10}, 1);
  other.columns[0].name = "zip";
  EXPECT_EQ(values_of(*preprocess_apply(fit.model, other, ctx)), (std::vector<double>{0, 1, 0, 1, 0, 0}));
}

TEST(Preprocess, StorageTypeDoesNotMatter) {
  std::vector<float> narrow;
  std::vector<double> wide;
  for (uint64_t i = 0; i < 3000; ++i) {
    narrow.push_back(static_cast<float>(Random(1, RandomStage::kSubsample, i).normal() * (i % 3 == 0 ? 100 : 1)));
    wide.push_back(narrow.back());
  }
  Table a = numbers(wide, 3);
  Table b = numbers(wide, 3);
  b.numbers = std::make_shared<MemorySource>(DType::kF32, narrow.data(), 1000, 3, 3, nullptr);
  Context ctx = context(2);
  const PreprocessParams params = params_of({{"scale", "standard"}, {"outliers", "winsorize"}});
  EXPECT_TRUE(same_bits(values_of(*preprocess_fit(a, params, ctx).rows), values_of(*preprocess_fit(b, params, ctx).rows)));
}

TEST(Preprocess, DamagedModelsAreRefused) {
  Context ctx = context();
  const PreprocessFit fit = preprocess_fit(untidy(500), kMany[1], ctx);
  const ModelFile whole = save_preprocess(fit.model);
  load_preprocess(whole);
  const auto refused = [&](const char* what, const std::function<void(ModelFile&)>& damage) {
    ModelFile file = whole;
    damage(file);
    EXPECT_EQ(error_of([&] { load_preprocess(file); }).code, ErrorCode::kBadModel) << what;
  };
  for (const auto& [name, tensor] : whole.tensors) {
    refused(name.c_str(), [&](ModelFile& f) { f.tensors.erase(name); });
    refused(name.c_str(), [&](ModelFile& f) {  // one value fewer
      Tensor& t = f.tensors[name];
      t.data.resize(t.data.size() - (t.dtype == "U8" ? 1 : 8));
      --t.shape[0];
    });
  }
  for (const auto& [name, tensor] : whole.tensors) {
    if (tensor.dtype != "I64") continue;
    for (const int64_t bad : {int64_t{-2}, int64_t{1} << 40, INT64_MIN, INT64_MAX}) {
      refused(name.c_str(), [&](ModelFile& f) { std::memcpy(f.tensors[name].data.data(), &bad, 8); });
    }
  }
  refused("scale", [](ModelFile& f) { std::memset(f.tensors["scale"].data.data(), 0, 8); });
  refused("limits", [](ModelFile& f) { std::swap(f.tensors["lower"], f.tensors["upper"]); });
  refused("algorithm", [](ModelFile& f) { f.about["algorithm"] = "pca"; });
  refused("params", [](ModelFile& f) { f.about["params"] = "{}"; });
  refused("params", [](ModelFile& f) { f.about["params"] = "]"; });
  refused("scale auto", [](ModelFile& f) { f.about["params"].replace(f.about["params"].find("standard"), 8, "auto"); });
  // Any flipped byte of the file is refused or gives a model that can be applied, never anything else.
  const Bytes file = encode_model(whole);
  const Table table = untidy(50);
  for (size_t at = 0; at < file.size(); at += 3) {
    Bytes flipped = file;
    flipped[at] ^= std::byte{0x41};
    try {
      preprocess_apply(load_preprocess(decode_model(flipped, "m")), table, ctx);
    } catch (const Error&) {
    }
  }
}

}  // namespace
}  // namespace sluice
