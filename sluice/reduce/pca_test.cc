#include "sluice/reduce/pca.h"

#include <gtest/gtest.h>

#include "sluice/reduce/pca_count.h"
#include "sluice/reduce/pca_sklearn.h"
#include "sluice/reduce/testing.h"

namespace sluice {
namespace {

using testing::context;
using testing::sample;
using testing::source_of;
using testing::worst;

std::vector<double> embedded(const PcaModel& model, const Source& rows) {
  BlockBuffer buffer;
  std::vector<double> out(static_cast<size_t>(rows.rows() * model.components.rows));
  pca_transform(model, rows.read(0, rows.rows(), buffer), out.data());
  return out;
}

void expect_as_sklearn(const sklearn::PcaCase& wanted) {
  SCOPED_TRACE(std::string(wanted.n_components) + " of " + std::to_string(wanted.cols) + " at " + std::to_string(wanted.offset));
  std::vector<double> values = *wanted.rows;
  for (double& x : values) x += wanted.offset;
  const MemorySource rows = source_of(values, wanted.cols);
  Context ctx = context();
  const PcaModel model = pca_fit(rows, {.n_components = wanted.n_components, .whiten = wanted.whiten}, ctx).model;
  ASSERT_EQ(model.components.rows, wanted.k);
  std::vector<double> mean = wanted.mean;
  for (double& x : mean) x += wanted.offset;
  EXPECT_LT(worst(model.mean, mean), wanted.offset == 0 ? 1e-13 : 3e-8);
  EXPECT_LT(worst(model.components.values, wanted.components), 1e-6);
  EXPECT_LT(worst(model.explained_variance, wanted.explained_variance, wanted.explained_variance.back()), 1e-6);
  EXPECT_LT(worst(model.explained_variance_ratio, wanted.explained_variance_ratio, wanted.explained_variance_ratio.back()), 1e-6);
  EXPECT_LT(worst(model.singular_values, wanted.singular_values, wanted.singular_values.back()), 1e-6);
  EXPECT_NEAR(model.noise_variance, wanted.noise_variance, 1e-6 * wanted.noise_variance);
  EXPECT_LT(worst(embedded(model, rows), wanted.embedding, wanted.whiten ? 1 : wanted.singular_values[0]), 1e-6);
}

TEST(Pca, AgreesWithSklearn) {
  for (const sklearn::PcaCase* one : {&sklearn::kAll, &sklearn::kThree, &sklearn::kShare, &sklearn::kMle, &sklearn::kWhiten,
                                      &sklearn::kWideThree, &sklearn::kWideShare}) {
    expect_as_sklearn(*one);
  }
}

TEST(Pca, FarFromTheOriginIsAsNear) {
  expect_as_sklearn(sklearn::kOffset);
  expect_as_sklearn(sklearn::kWideOffset);
}

TEST(Pca, MleAgreesWithSklearn) {
  for (const sklearn::MleCase& one : sklearn::kMleCases)
    EXPECT_EQ(minka_dimension(one.variances, one.n), one.dimension) << one.variances.size();
}

TEST(Pca, CountsInWords) {
  EXPECT_EQ(parse_pca_count("7").count, 7);
  EXPECT_EQ(parse_pca_count("0.5").share, 0.5);
  for (const char* wrong : {"", "0", "-3", "1.0", "1.5", "0.0", "nan", "some", "3x", "-0.2"}) {
    try {
      parse_pca_count(wrong);
      ADD_FAILURE() << wrong;
    } catch (const Error& error) {
      EXPECT_EQ(error.code, ErrorCode::kUsage) << wrong;
    }
  }
}

TEST(Pca, ShareKeepsTheFewestThatExceedIt) {
  const std::vector<double> variances = {5, 3, 2};
  const auto kept = [&](const char* share) { return components_to_keep(parse_pca_count(share), variances, 10, 20); };
  EXPECT_EQ(kept("0.4999"), 1);
  EXPECT_EQ(kept("0.5"), 2);  // exactly reached is not exceeded, as searchsorted(side="right")
  EXPECT_EQ(kept("0.8"), 3);
  EXPECT_EQ(kept("0.9999999"), 3);
}

// The randomised solver against the full one, where the spectrum falls.
TEST(Pca, RandomizedFindsTheLeadingComponents) {
  for (const auto& [n, d] : {std::pair<int64_t, int64_t>{700, 60}, {50, 200}}) {
    const MemorySource rows = source_of(sample(n, d, 0.8, 100), d);
    Context ctx = context(2, 128);
    const PcaFit full = pca_fit(rows, {.n_components = "4", .svd_solver = PcaSolver::kFull}, ctx);
    const PcaFit random = pca_fit(rows, {.n_components = "4", .svd_solver = PcaSolver::kRandomized}, ctx);
    EXPECT_STREQ(full.solver, "full");
    EXPECT_STREQ(random.solver, "randomized");
    EXPECT_LT(worst(random.model.explained_variance, full.model.explained_variance, full.model.explained_variance.back()), 1e-9);
    EXPECT_LT(worst(random.model.explained_variance_ratio, full.model.explained_variance_ratio), 1e-9);
    EXPECT_LT(worst(random.model.components.values, full.model.components.values), 1e-6);
    EXPECT_NEAR(random.model.noise_variance, full.model.noise_variance, 1e-9 * full.model.explained_variance[0]);
  }
}

TEST(Pca, EveryParameterOfTheRandomizedSolverCounts) {
  const MemorySource rows = source_of(sample(400, 50, 0.99), 50);
  Context ctx = context();
  const auto fitted = [&](PcaParams params, uint64_t seed = 0) {
    params.n_components = "3";
    params.svd_solver = PcaSolver::kRandomized;
    ctx.seed = seed;
    return pca_fit(rows, params, ctx).model.components;
  };
  const Matrix<double> base = fitted({.iterated_power = 1});
  EXPECT_EQ(fitted({.iterated_power = 1}), base);
  EXPECT_NE(fitted({.iterated_power = 2}), base);
  EXPECT_NE(fitted({.iterated_power = 1, .n_oversamples = 20}), base);
  EXPECT_NE(fitted({.iterated_power = 1}, 9), base);
}

TEST(Pca, AutoTakesTheRandomizedSolverForAFewOfThousands) {
  const MemorySource rows = source_of(sample(1010, 1001, 0.5), 1001);
  Context ctx = context(2);
  EXPECT_STREQ(pca_fit(rows, {.n_components = "2"}, ctx).solver, "randomized");
  const MemorySource few = source_of(sample(60, 1001, 0.5), 1001);
  EXPECT_STREQ(pca_fit(few, {.n_components = "2"}, ctx).solver, "full");
}

TEST(Pca, InverseTransformGivesTheRowsBack) {
  for (const bool whiten : {false, true}) {
    const std::vector<double> values = sample(80, 6, 0.7, 50);
    const MemorySource rows = source_of(values, 6);
    Context ctx = context();
    const PcaModel model = pca_fit(rows, {.whiten = whiten}, ctx).model;
    Matrix<double> inside(80, 6);
    inside.values = embedded(model, rows);
    EXPECT_LT(worst(pca_inverse_transform(model, inside).values, values), 1e-12);
    EXPECT_THROW(pca_inverse_transform(model, Matrix<double>(3, 5)), Error);
  }
}

TEST(Pca, SaveAndLoadIsTheSameModel) {
  const MemorySource rows = source_of(sample(50, 4), 4);
  Context ctx = context();
  const PcaParams params{.n_components = "3", .whiten = true};
  const PcaModel model = pca_fit(rows, params, ctx).model;
  const ModelFile file = decode_model(encode_model(pca_save(model)), "model");
  const PcaModel read = pca_load(file);
  EXPECT_EQ(embedded(read, rows), embedded(model, rows));
  EXPECT_EQ(read.noise_variance, model.noise_variance);
  EXPECT_EQ(read.singular_values, model.singular_values);
  EXPECT_TRUE(read.whiten);
  const Outcome fitted = pca_run(rows, params, ctx);
  const Outcome applied = pca_apply(file, rows, ctx);
  EXPECT_EQ(applied.result.all(), fitted.result.all());
  EXPECT_EQ(applied.embedding_cols, 3);
}

TEST(Pca, DamagedModelsAreRefused) {
  const MemorySource rows = source_of(sample(50, 4), 4);
  Context ctx = context();
  const ModelFile good = pca_save(pca_fit(rows, {.n_components = "3"}, ctx).model);
  const auto expect_refused = [&](const char* what, const std::function<void(ModelFile&)>& damage) {
    ModelFile file = good;
    damage(file);
    try {
      pca_apply(file, rows, ctx);
      ADD_FAILURE() << what;
    } catch (const Error& error) {
      EXPECT_EQ(error.code, ErrorCode::kBadModel) << what << ": " << error.what();
    }
  };
  const std::vector<double> two = {1, 2}, bad = {1, -1, 1}, nan = {1, NAN, 1};
  for (const char* name : {"mean", "components", "explained_variance", "explained_variance_ratio", "singular_values", "noise_variance"}) {
    expect_refused(name, [&](ModelFile& f) { f.tensors.erase(name); });
    expect_refused(name, [&](ModelFile& f) { f.put(name, std::span<const double>(two)); });
    expect_refused(name, [&](ModelFile& f) { f.put(name, std::span<const double>(nan)); });
  }
  for (const char* name : {"explained_variance", "explained_variance_ratio", "singular_values"}) {
    expect_refused(name, [&](ModelFile& f) { f.put(name, std::span<const double>(bad)); });
  }
  expect_refused("no rows", [&](ModelFile& f) { f.put("components", Matrix<double>(0, 4)); });
  expect_refused("whiten", [&](ModelFile& f) { f.about["whiten"] = "maybe"; });
  expect_refused("no whiten", [&](ModelFile& f) { f.about.erase("whiten"); });
}

TEST(Pca, OtherColumnsAreRefusedByApply) {
  const MemorySource rows = source_of(sample(50, 4), 4);
  Context ctx = context();
  const ModelFile model = pca_save(pca_fit(rows, {}, ctx).model);
  EXPECT_THROW(pca_apply(model, source_of(sample(5, 3), 3), ctx), Error);
}

}  // namespace
}  // namespace sluice
