#include "sluice/reduce/svd.h"

#include <gtest/gtest.h>

#include <functional>
#include <numeric>

#include "sluice/comm/thread_ranks.h"
#include "sluice/kernels/cpu.h"
#include "sluice/reduce/svd_sklearn.h"
#include "sluice/reduce/testing.h"

namespace sluice {
namespace {

using testing::context;
using testing::sample;
using testing::source_of;
using testing::worst;

std::vector<double> embedded(const SvdModel& model, const Source& rows) {
  BlockBuffer buffer;
  std::vector<double> out(static_cast<size_t>(rows.rows() * model.components.rows));
  svd_transform(model, rows.read(0, rows.rows(), buffer), out.data());
  return out;
}

void expect_same(const SvdModel& a, const SvdModel& b) {
  EXPECT_EQ(a.components, b.components);
  EXPECT_EQ(a.explained_variance, b.explained_variance);
  EXPECT_EQ(a.explained_variance_ratio, b.explained_variance_ratio);
  EXPECT_EQ(a.singular_values, b.singular_values);
}

TEST(Svd, AgreesWithSklearn) {
  for (const sklearn::SvdCase* wanted : {&sklearn::kTallSvd, &sklearn::kWideSvd, &sklearn::kCountsSvd}) {
    for (const SvdAlgorithm algorithm : {SvdAlgorithm::kExact, SvdAlgorithm::kRandomized}) {
      SCOPED_TRACE(wanted->cols);
      const MemorySource rows = source_of(wanted->rows, wanted->cols);
      Context ctx = context(2, 8);
      const SvdModel model = svd_fit(rows, {.n_components = wanted->k, .algorithm = algorithm}, ctx).model;
      EXPECT_LT(worst(model.components.values, wanted->components), 1e-6);
      EXPECT_LT(worst(model.explained_variance, wanted->explained_variance, wanted->explained_variance.back()), 1e-6);
      EXPECT_LT(worst(model.explained_variance_ratio, wanted->explained_variance_ratio, wanted->explained_variance_ratio.back()), 1e-6);
      EXPECT_LT(worst(model.singular_values, wanted->singular_values, wanted->singular_values.back()), 1e-6);
      EXPECT_LT(worst(embedded(model, rows), wanted->embedding, wanted->singular_values[0]), 1e-6);
    }
  }
}

TEST(Svd, ThreadsRanksAndInstructionSetsGiveTheSameBits) {
  const MemorySource tall = source_of(sample(150, 12, 0.8, 3), 12), wide = source_of(sample(20, 45, 0.9, 3), 45);
  for (const MemorySource* rows : {&tall, &wide}) {
    for (const SvdAlgorithm algorithm : {SvdAlgorithm::kExact, SvdAlgorithm::kRandomized}) {
      const SvdParams params{.n_components = 3, .algorithm = algorithm};
      Context one = context(1, 16);
      const SvdModel truth = svd_fit(*rows, params, one).model;
      for (const int ranks : {1, 2, 3}) {
        run_as_ranks(ranks, [&](Communicator& comm) {
          Context ctx = context(ranks, 16);
          ctx.comm = &comm;
          expect_same(svd_fit(*rows, params, ctx).model, truth);
        });
      }
      const kernels::Target best = kernels::current_target();
      for (const kernels::Target target : kernels::kAllTargets) {
        if (!kernels::target_available(target)) continue;
        kernels::use_target(target);
        expect_same(svd_fit(*rows, params, one).model, truth);
      }
      kernels::use_target(best);
    }
  }
}

TEST(Svd, EveryParameterOfTheRandomizedAlgorithmCounts) {
  const MemorySource rows = source_of(sample(400, 50, 0.99), 50);
  Context ctx = context();
  const auto fitted = [&](SvdParams params) {
    params.algorithm = SvdAlgorithm::kRandomized;
    return svd_fit(rows, params, ctx).model.components;
  };
  const Matrix<double> base = fitted({.n_iter = 1});
  EXPECT_EQ(fitted({.n_iter = 1}), base);
  EXPECT_NE(fitted({.n_iter = 2}), base);
  EXPECT_NE(fitted({.n_iter = 1, .n_oversamples = 20}), base);
  ctx.seed = 9;
  EXPECT_NE(fitted({.n_iter = 1}), base);
}

TEST(Svd, AutoTakesTheRandomizedAlgorithmForAFewOfThousands) {
  Context ctx = context(2);
  EXPECT_STREQ(svd_fit(source_of(sample(1010, 1001, 0.5), 1001), {}, ctx).algorithm, "randomized");
  EXPECT_STREQ(svd_fit(source_of(sample(60, 1001, 0.5), 1001), {}, ctx).algorithm, "exact");
}

TEST(Svd, WeightsCountAsCopies) {
  const std::vector<double> values = sample(60, 6, 0.7, 2);
  std::vector<double> weights, copies;
  for (int64_t i = 0; i < 60; ++i) {
    weights.push_back(static_cast<double>(1 + i % 3));
    for (int64_t c = 0; c <= i % 3; ++c) copies.insert(copies.end(), values.begin() + i * 6, values.begin() + (i + 1) * 6);
  }
  MemorySource weighted = source_of(values, 6);
  weighted.set_weights(weights);
  for (const SvdAlgorithm algorithm : {SvdAlgorithm::kExact, SvdAlgorithm::kRandomized}) {
    Context ctx = context();
    const SvdParams params{.n_components = 3, .algorithm = algorithm};
    const SvdModel a = svd_fit(weighted, params, ctx).model, b = svd_fit(source_of(copies, 6), params, ctx).model;
    EXPECT_LT(worst(a.components.values, b.components.values), 1e-7);
    EXPECT_LT(worst(a.singular_values, b.singular_values, b.singular_values[0]), 1e-11);
    EXPECT_LT(worst(a.explained_variance, b.explained_variance, b.explained_variance[0]), 1e-10);
  }
}

TEST(Svd, RowsThatSayLittleEndWell) {
  Context ctx = context();
  const SvdModel zero = svd_fit(source_of(std::vector<double>(12), 3), {}, ctx).model;
  EXPECT_EQ(zero.singular_values, (std::vector<double>{0, 0}));
  EXPECT_EQ(zero.explained_variance_ratio, (std::vector<double>{0, 0}));
  // Equal rows: one direction, and no variance about the mean.
  const SvdModel equal = svd_fit(source_of({3, 4, 3, 4, 3, 4}, 2), {}, ctx).model;
  EXPECT_NEAR(equal.singular_values[0], 5 * std::sqrt(3.0), 1e-14);
  EXPECT_NEAR(equal.components(0, 1), 0.8, 1e-14);
  EXPECT_EQ(equal.explained_variance, (std::vector<double>{0, 0}));
  EXPECT_THROW(svd_fit(source_of({1, 2}, 2), {.n_components = 1}, ctx), Error);
  EXPECT_THROW(svd_fit(source_of({1, 2, 3, 4}, 1), {}, ctx), Error);
  ctx.memory = int64_t{64} << 20;
  try {
    svd_fit(source_of(std::vector<double>(2 * 3000, 1.0), 3000), {.algorithm = SvdAlgorithm::kRandomized, .n_oversamples = 100'000}, ctx);
    svd_fit(source_of(std::vector<double>(4000 * 3000, 1.0), 3000), {.algorithm = SvdAlgorithm::kExact}, ctx);
    ADD_FAILURE() << "it fitted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code, ErrorCode::kMemory);
  }
}

TEST(Svd, AModelDoesToNewRowsWhatTheFitDid) {
  const std::vector<double> values = sample(50, 4, 0.8, 3);
  const MemorySource rows = source_of(values, 4);
  Context ctx = context();
  const Outcome fit = svd_run(rows, {.n_components = 4}, ctx);
  const ModelFile file = decode_model(encode_model(fit.model), "model");
  const Outcome again = svd_apply(file, rows, ctx);
  EXPECT_EQ(again.result.all(), fit.result.all());
  const SvdModel model = svd_load(file);
  Matrix<double> inside(50, 4);
  inside.values = embedded(model, rows);
  EXPECT_LT(worst(svd_inverse_transform(model, inside).values, values), 1e-11);
  EXPECT_THROW(svd_apply(file, source_of(sample(5, 3), 3), ctx), Error);
}

TEST(Svd, DamagedModelsAreRefused) {
  const MemorySource rows = source_of(sample(50, 4), 4);
  Context ctx = context();
  const ModelFile good = svd_save(svd_fit(rows, {}, ctx).model);
  const auto expect_refused = [&](const std::string& what, const std::function<void(ModelFile&)>& damage) {
    ModelFile file = good;
    damage(file);
    try {
      svd_apply(file, rows, ctx);
      ADD_FAILURE() << what;
    } catch (const Error& error) {
      EXPECT_EQ(error.code, ErrorCode::kBadModel) << what << ": " << error.what();
    }
  };
  const std::vector<double> three = {1, 2, 3}, bad = {1, -1}, nan = {1, NAN};
  for (const char* name : {"components", "explained_variance", "explained_variance_ratio", "singular_values"}) {
    expect_refused(name, [&](ModelFile& f) { f.tensors.erase(name); });
    expect_refused(name, [&](ModelFile& f) { f.put(name, std::span<const double>(three)); });
    expect_refused(name, [&](ModelFile& f) { f.put(name, std::span<const double>(nan)); });
    expect_refused(name, [&](ModelFile& f) { f.put(name, std::span<const double>(bad)); });
  }
  expect_refused("no rows", [&](ModelFile& f) { f.put("components", Matrix<double>(0, 4)); });
}

}  // namespace
}  // namespace sluice
