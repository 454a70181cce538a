// What must not change a result of PCA, for each solver.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "sluice/comm/thread_ranks.h"
#include "sluice/kernels/cpu.h"
#include "sluice/reduce/pca.h"
#include "sluice/reduce/testing.h"

namespace sluice {
namespace {

using testing::context;
using testing::sample;
using testing::source_of;
using testing::worst;

struct Way {
  const char* name;
  int64_t rows, cols;
  PcaParams params;
};

class PcaLaws : public ::testing::TestWithParam<Way> {
 protected:
  std::vector<double> values_ = sample(GetParam().rows, GetParam().cols, 0.85, 7);
  MemorySource rows_ = source_of(values_, GetParam().cols);
  PcaModel fitted(const Source& rows, Context ctx) const { return pca_fit(rows, GetParam().params, ctx).model; }
};

void expect_same(const PcaModel& a, const PcaModel& b) {
  EXPECT_EQ(a.mean, b.mean);
  EXPECT_EQ(a.components, b.components);
  EXPECT_EQ(a.explained_variance, b.explained_variance);
  EXPECT_EQ(a.explained_variance_ratio, b.explained_variance_ratio);
  EXPECT_EQ(a.noise_variance, b.noise_variance);
}

void expect_near(const PcaModel& a, const PcaModel& b, double most) {
  EXPECT_LT(worst(a.components.values, b.components.values), most);
  EXPECT_LT(worst(a.explained_variance, b.explained_variance, b.explained_variance[0]), most);
  EXPECT_LT(worst(a.explained_variance_ratio, b.explained_variance_ratio), most);
  EXPECT_NEAR(a.noise_variance, b.noise_variance, most * b.explained_variance[0]);
}

TEST_P(PcaLaws, ThreadsAndRanksGiveTheSameBits) {
  const PcaModel truth = fitted(rows_, context(1, 16));
  for (const int threads : {2, 3}) expect_same(fitted(rows_, context(threads, 16)), truth);
  for (const int ranks : {2, 3}) {
    run_as_ranks(ranks, [&](Communicator& comm) {
      Context ctx = context(2, 16);
      ctx.comm = &comm;
      expect_same(fitted(rows_, ctx), truth);
    });
  }
}

TEST_P(PcaLaws, EveryInstructionSetGivesTheSameBits) {
  const kernels::Target best = kernels::current_target();
  const PcaModel truth = fitted(rows_, context());
  for (const kernels::Target target : kernels::kAllTargets) {
    if (!kernels::target_available(target)) continue;
    kernels::use_target(target);
    expect_same(fitted(rows_, context()), truth);
  }
  kernels::use_target(best);
}

TEST_P(PcaLaws, LeavesOfAnySizeAgree) {
  const PcaModel truth = fitted(rows_, context());
  for (const int64_t leaf : {1, 7, 8193}) expect_near(fitted(rows_, context(2, leaf)), truth, 1e-11);
}

TEST_P(PcaLaws, TheOrderOfRowsDoesNotMatter) {
  const int64_t d = rows_.cols();
  std::vector<double> turned;
  for (int64_t i = rows_.rows() - 1; i >= 0; --i) turned.insert(turned.end(), values_.begin() + i * d, values_.begin() + (i + 1) * d);
  expect_near(fitted(source_of(turned, d), context(1, 10)), fitted(rows_, context(1, 10)), 1e-11);
}

TEST_P(PcaLaws, WeightsCountAsCopies) {
  const int64_t d = rows_.cols();
  std::vector<double> weights, copies;
  for (int64_t i = 0; i < rows_.rows(); ++i) {
    weights.push_back(static_cast<double>(1 + i % 3));
    for (int64_t c = 0; c <= i % 3; ++c) copies.insert(copies.end(), values_.begin() + i * d, values_.begin() + (i + 1) * d);
  }
  MemorySource weighted = source_of(values_, d);
  weighted.set_weights(weights);
  const PcaModel a = fitted(weighted, context());
  const PcaModel b = fitted(source_of(copies, d), context());
  EXPECT_LT(worst(a.components.values, b.components.values), 1e-7);
  EXPECT_LT(worst(a.explained_variance, b.explained_variance, b.explained_variance[0]), 1e-11);
  EXPECT_LT(worst(a.singular_values, b.singular_values, b.singular_values[0]), 1e-11);
}

TEST_P(PcaLaws, ComponentsAreOrthonormalAndTheirSignsFixed) {
  const Matrix<double> components = fitted(rows_, context()).components;
  for (int64_t a = 0; a < components.rows; ++a) {
    for (int64_t b = 0; b <= a; ++b) {
      EXPECT_NEAR(std::inner_product(components.row(a), components.row(a) + components.cols, components.row(b), 0.0), a == b ? 1 : 0, 1e-9);
    }
    const double* row = components.row(a);
    EXPECT_GT(*std::max_element(row, row + components.cols, [](double x, double y) { return std::fabs(x) < std::fabs(y); }), 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Ways, PcaLaws,
                         ::testing::Values(Way{"full", 150, 12, {.n_components = "5"}}, Way{"gram", 20, 45, {.n_components = "5"}},
                                           Way{"random", 300, 30, {.n_components = "3", .svd_solver = PcaSolver::kRandomized}},
                                           Way{"share", 150, 12, {.n_components = "0.9"}}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace sluice
