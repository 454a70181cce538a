// One EM step as a state: its laws, and its sums against plain ones.
#include "sluice/mixture/em.h"

#include <gtest/gtest.h>

#include <cmath>

#include "sluice/core/math.h"
#include "sluice/mixture/covariances.h"
#include "sluice/mixture/testing.h"
#include "tests/laws.h"

namespace sluice::mixture {
namespace {

using sluice::testing::groups;
using sluice::testing::source_of;

const CovarianceType kTypes[] = {CovarianceType::kFull, CovarianceType::kTied, CovarianceType::kDiag, CovarianceType::kSpherical};

GmmModel model_of(CovarianceType type, const Matrix<double>& means) {
  const int64_t k = means.rows, d = means.cols;
  GmmModel model{type, std::vector<double>(static_cast<size_t>(k), 1.0 / static_cast<double>(k)), means, {}, {}};
  const Shape shape = shape_of(type, k, d);
  model.covariances = model.precisions_cholesky = Matrix<double>(shape.rows, shape.cols);
  for (int64_t i = 0; i < shape.rows; ++i) {
    for (int64_t j = 0; j < shape.cols; ++j) {
      const bool dense = type == CovarianceType::kFull || type == CovarianceType::kTied;
      model.covariances(i, j) = !dense || i % d == j ? 2 + 0.1 * static_cast<double>(i) : 0.3;
    }
  }
  for (int64_t c = 0; c < k; ++c) EXPECT_TRUE(set_factor(model, c));
  return model;
}

TEST(Em, FactorsInvertTheCovariance) {
  const GmmModel model = model_of(CovarianceType::kFull, Matrix<double>(2, 5, 1.0));
  const int64_t d = 5;
  for (int64_t c = 0; c < 2; ++c) {
    const Matrix<double> covariance = covariance_matrix(model, c);
    std::vector<double> precision(static_cast<size_t>(d * d)), again(static_cast<size_t>(d * d));
    for (int64_t i = 0; i < d; ++i) {
      for (int64_t j = 0; j < d; ++j) {
        double sum = 0, product = 0;
        for (int64_t m = 0; m < d; ++m) {
          precision[static_cast<size_t>(i * d + j)] += model.precisions_cholesky(c * d + i, m) * model.precisions_cholesky(c * d + j, m);
          for (int64_t u = 0; u < d; ++u)
            sum += covariance(i, m) * model.precisions_cholesky(c * d + m, u) * model.precisions_cholesky(c * d + j, u);
        }
        product = sum;
        EXPECT_NEAR(product, i == j ? 1 : 0, 1e-14);
        if (j < i) {
          EXPECT_EQ(model.precisions_cholesky(c * d + i, j), 0);
        }
      }
    }
    ASSERT_TRUE(factor_of_precision(precision.data(), d, again.data()));
    for (int64_t i = 0; i < d * d; ++i)
      EXPECT_NEAR(again[static_cast<size_t>(i)], model.precisions_cholesky.values[static_cast<size_t>(c * d * d + i)], 1e-14);
  }
  const std::vector<double> singular = {1, 2, 2, 4};
  std::vector<double> out(4);
  EXPECT_FALSE(precision_factor(singular.data(), 2, out.data()));
  EXPECT_FALSE(factor_of_precision(singular.data(), 2, out.data()));
}

TEST(Em, KernelExpHasTheBitsOfExp64) {
  Random random(1, RandomStage::kSubsample, 0);
  for (int i = 0; i < 50'000; ++i) {
    const double x = -70 * random.uniform();
    ASSERT_EQ(kernels::exp_of_negative(x), exp64(x)) << x;
  }
}

void check_sums(int64_t d) {
  const int64_t n = 700, k = 3;  // more rows than a block
  const std::vector<double> values = groups(n, d, k, 2, 5);
  MemorySource rows = source_of(values, d);
  std::vector<double> weights;
  for (int64_t i = 0; i < n; ++i) weights.push_back(0.25 * static_cast<double>(1 + i % 5));
  rows.set_weights(weights);
  const Matrix<double> about = sluice::testing::some_rows(rows, k);
  Context ctx;
  for (const CovarianceType type : kTypes) {
    EmPlan plan(rows, type, about, ctx);
    // Claims with many zeros, so that rows are picked, and with none.
    for (const int64_t every : {1, 4}) {
      const Claims claims = [&](const MatrixBlock& block, double* to, int64_t stride) {
        for (int64_t c = 0; c < k; ++c) {
          for (int64_t r = 0; r < block.rows; ++r)
            to[c * stride + r] =
                (block.first_row + r + c) % every == 0 ? 1 / (1.0 + static_cast<double>((block.first_row + r + c) % 7)) : 0;
        }
      };
      plan.claims = &claims;
      const EmState state = fold(rows, [&] { return EmState(plan); }, ctx);
      const ClaimSums got = state.sums();
      std::vector<double> block(static_cast<size_t>(k * n));
      BlockBuffer buffer;
      claims(rows.read(0, n, buffer), block.data(), n);
      std::vector<long double> tied(static_cast<size_t>(d * d));
      for (int64_t c = 0; c < k; ++c) {
        long double weight = 0, first[6] = {}, second[6][6] = {};
        for (int64_t r = 0; r < n; ++r) {
          const long double claim = static_cast<long double>(block[static_cast<size_t>(c * n + r)]) * weights[static_cast<size_t>(r)];
          weight += claim;
          for (int64_t i = 0; i < d; ++i) {
            const long double y = static_cast<long double>(values[static_cast<size_t>(r * d + i)]) - about(c, i);
            first[i] += claim * y;
            for (int64_t j = 0; j < d; ++j)
              second[i][j] += claim * y * (static_cast<long double>(values[static_cast<size_t>(r * d + j)]) - about(c, j));
          }
        }
        const auto equal = [&](double a, long double b) {
          EXPECT_NEAR(a, static_cast<double>(b), 1e-11 * (1 + std::fabs(static_cast<double>(b))));
        };
        equal(got.weight[static_cast<size_t>(c)], weight);
        for (int64_t i = 0; i < d; ++i) {
          equal(got.first(c, i), first[i]);
          if (type == CovarianceType::kDiag || type == CovarianceType::kSpherical) equal(got.second(c, i), second[i][i]);
          for (int64_t j = 0; j < d; ++j) {
            tied[static_cast<size_t>(i * d + j)] += second[i][j];
            if (type == CovarianceType::kFull) equal(got.second(c * d + i, j), second[i][j]);
            if (type == CovarianceType::kTied && c == k - 1) equal(got.second(i, j), tied[static_cast<size_t>(i * d + j)]);
          }
        }
      }
    }
  }
}

TEST(Em, SumsAreThoseOfPlainLoops) {
  for (const int64_t d : {1, 2, 3, 4, 6}) check_sums(d);  // up to 4 columns another kernel
}

void check_laws(int64_t d) {
  const MemorySource rows = source_of(groups(200, d, 3, 2, 5), d);
  const Matrix<double> means = sluice::testing::some_rows(rows, 3);
  Context ctx;
  ctx.leaf_rows = 37;
  for (const CovarianceType type : kTypes) {
    const GmmModel model = model_of(type, means);
    const kernels::GaussianPlan density = gmm_plan(model);
    EmPlan plan(rows, type, means, ctx);
    plan.density = &density;
    check_state_laws([&] { return EmState(plan); }, rows);
    RowColumn<int32_t> labels(leaf_range(200, d, Context{}), 0);
    RowColumn<double> logs(leaf_range(200, d, Context{}), 0);
    check_state_laws([&] { return ScoreState(density, labels, logs, nullptr); }, rows);
  }
}

TEST(Em, LawsOfTheState) {
  check_laws(3);
  check_laws(6);
}

}  // namespace
}  // namespace sluice::mixture
