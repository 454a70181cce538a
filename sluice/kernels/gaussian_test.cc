#include "sluice/kernels/gaussian.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "sluice/kernels/gaussian_ref.h"
#include "sluice/kernels/sample_rows.h"
#include "sluice/kernels/testing.h"

namespace sluice::kernels {
namespace {

constexpr int64_t kCols[] = {1, 2, 3, 4, 5, 8, 13, 16, 17, 33, 40};

GaussianPlan plan_of(int64_t k, int64_t d, bool diagonal, bool shared, uint64_t seed) {
  TestRandom random(seed);
  GaussianPlan plan;
  plan.components = k;
  plan.cols = d;
  plan.diagonal = diagonal;
  plan.shared = shared;
  plan.factor_size = diagonal ? d : packed_factor_size(d);
  for (int64_t i = 0; i < k * d; ++i) plan.means.push_back(3 + random.normal());
  for (int64_t c = 0; c < k; ++c) plan.constants.push_back(random.normal());
  plan.factors.resize(static_cast<size_t>((shared ? 1 : k) * plan.factor_size));
  for (int64_t c = 0; c < (shared ? 1 : k); ++c) {
    if (diagonal) {
      for (int64_t j = 0; j < d; ++j) plan.factors[static_cast<size_t>(c * d + j)] = 0.1 + random.uniform();
      continue;
    }
    std::vector<double> upper(static_cast<size_t>(d * d), std::nan(""));  // below the diagonal nothing is read
    for (int64_t i = 0; i < d; ++i) {
      for (int64_t j = i; j < d; ++j) upper[static_cast<size_t>(i * d + j)] = random.normal();
    }
    pack_factor(upper.data(), d, plan.factors.data() + c * plan.factor_size);
  }
  return plan;
}

TEST(Gaussian, LogsAreThoseOfTheDefinition) {
  const int64_t d = 5, k = 3;
  const SampleRows rows = make_sample_rows(20, d, true, 2, 3);
  TestRandom random(9);
  std::vector<double> upper(static_cast<size_t>(d * d));
  for (int64_t i = 0; i < d; ++i) {
    for (int64_t j = i; j < d; ++j) upper[static_cast<size_t>(i * d + j)] = random.normal();
  }
  GaussianPlan plan = plan_of(k, d, false, true, 4);
  pack_factor(upper.data(), d, plan.factors.data());
  std::vector<double> out(static_cast<size_t>(k * 20));
  GaussianScratch scratch;
  gaussian_logs(rows.view, plan, out.data(), 20, scratch);
  for (int64_t c = 0; c < k; ++c) {
    for (int64_t r = 0; r < 20; ++r) {
      long double square = 0;
      for (int64_t j = 0; j < d; ++j) {
        long double y = 0;
        for (int64_t i = 0; i <= j; ++i)
          y += static_cast<long double>(rows.view.f64(r)[i] - plan.means[static_cast<size_t>(c * d + i)]) *
               upper[static_cast<size_t>(i * d + j)];
        square += y * y;
      }
      const auto wanted = static_cast<double>(plan.constants[static_cast<size_t>(c)] - square / 2);
      EXPECT_NEAR(out[static_cast<size_t>(c * 20 + r)], wanted, 1e-13 * (1 + std::fabs(wanted)));
    }
  }
}

TEST(Gaussian, EveryTargetGivesTheBitsOfThePlainLoops) {
  for (const int64_t d : kCols) {
    for (const int64_t n : {1, 7, 64, 65, 150}) {
      for (const bool diagonal : {false, true}) {
        const GaussianPlan plan = plan_of(3, d, diagonal, n == 7 && !diagonal, static_cast<uint64_t>(d + n));
        const SampleRows narrow = make_sample_rows(n, d, false, 1, 3);
        std::vector<double> wanted(static_cast<size_t>(3 * n));
        gaussian_logs_ref(narrow.view, plan, wanted.data(), n);
        RowsView wide = narrow.view;
        wide.is_f64 = true;
        wide.data = narrow.wide.data();
        for_each_target([&] {
          for (const RowsView& view : {narrow.view, wide}) {
            std::vector<double> got(static_cast<size_t>(3 * (n + 2)), -7.0);
            GaussianScratch scratch;
            gaussian_logs(view, plan, got.data(), n + 2, scratch);
            for (int64_t c = 0; c < 3; ++c) {
              for (int64_t r = 0; r < n; ++r) ASSERT_EQ(got[static_cast<size_t>(c * (n + 2) + r)], wanted[static_cast<size_t>(c * n + r)]);
              ASSERT_EQ(got[static_cast<size_t>(c * (n + 2) + n)], -7) << "written past the rows";
            }
          }
        });
      }
    }
  }
}

TEST(Gaussian, ResponsibilitiesOnEveryTarget) {
  for (const int64_t k : {1, 2, 5}) {
    for (const int64_t n : {1, 8, 21}) {
      TestRandom random(static_cast<uint64_t>(k * n));
      std::vector<double> logs(static_cast<size_t>(k * n)), weights;
      for (double& v : logs) v = random.below(4) == 0 ? kLeastLog : -100 * random.uniform();
      for (int64_t r = 0; r < n; ++r) weights.push_back(static_cast<double>(random.below(4)));
      for (const double* weight : {static_cast<const double*>(nullptr), static_cast<const double*>(weights.data())}) {
        std::vector<double> wanted = logs, peak(static_cast<size_t>(n)), sum(static_cast<size_t>(n));
        responsibilities_ref(wanted.data(), 0, n, k, n, weight, peak.data(), sum.data());
        for (int64_t r = 0; r < n; ++r) {
          double total = 0;
          for (int64_t c = 0; c < k; ++c) total += wanted[static_cast<size_t>(c * n + r)];
          EXPECT_NEAR(total, weight == nullptr ? 1 : weight[r], 1e-14);
        }
        for_each_target([&] {
          std::vector<double> got = logs, its_peak(static_cast<size_t>(n)), its_sum(static_cast<size_t>(n));
          responsibilities(got.data(), n, k, n, weight, its_peak.data(), its_sum.data());
          EXPECT_EQ(got, wanted);
          EXPECT_EQ(its_peak, peak);
          EXPECT_EQ(its_sum, sum);
        });
      }
    }
  }
}

TEST(Gaussian, ExpOfNegativeNumbers) {
  TestRandom random(3);
  for (int i = 0; i < 20'000; ++i) {
    const double x = -70 * random.uniform();
    const long double wanted = std::exp(static_cast<long double>(x));
    ASSERT_NEAR(static_cast<double>(exp_of_negative(x) / wanted), 1, 3e-16) << x;
  }
  EXPECT_EQ(exp_of_negative(0), 1);
  EXPECT_GT(exp_of_negative(-70), 0);
  EXPECT_EQ(exp_of_negative(-70.001), 0);
  EXPECT_EQ(exp_of_negative(-1e300), 0);
}

TEST(Gaussian, NarrowMomentsOnEveryTarget) {
  for (int64_t d = 1; d <= kNarrow; ++d) {
    for (const int64_t n : {1, 8, 61}) {
      const SampleRows rows = make_sample_rows(n, d, false, static_cast<uint64_t>(d), 3);
      TestRandom random(static_cast<uint64_t>(n));
      std::vector<double> columns(static_cast<size_t>(d * 64), std::nan("")), weights;
      for (int64_t r = 0; r < n; ++r) weights.push_back(random.uniform());
      to_columns(rows.view, columns.data(), 64);
      const std::vector<double> before(static_cast<size_t>(8 * narrow_entries(d)), 0.5);
      std::vector<double> wanted = before;
      narrow_moments_ref(columns.data(), 64, 0, n, d, rows.center.data(), weights.data(), wanted.data());
      int64_t entry = 1 + d;
      for (int64_t i = 0; i < d; ++i) {
        for (int64_t j = i; j < d; ++j, ++entry) {
          long double plain = 4;
          for (int64_t r = 0; r < n; ++r)
            plain += static_cast<long double>(weights[static_cast<size_t>(r)]) * (rows.view.f32(r)[i] - rows.center[i]) *
                     (rows.view.f32(r)[j] - rows.center[j]);
          EXPECT_NEAR(narrow_total(wanted.data() + 8 * entry), static_cast<double>(plain),
                      1e-12 * (1 + std::fabs(static_cast<double>(plain))));
        }
      }
      for_each_target([&] {
        std::vector<double> got = before;
        narrow_moments(columns.data(), 64, n, d, rows.center.data(), weights.data(), got.data());
        EXPECT_EQ(got, wanted);
      });
    }
  }
}

TEST(Gaussian, WeightedColumnSumsOnEveryTarget) {
  for (const int64_t d : kCols) {
    const SampleRows rows = make_sample_rows(50, d, false, 1, 3);
    TestRandom random(static_cast<uint64_t>(d));
    std::vector<double> weights;
    for (int i = 0; i < 50; ++i) weights.push_back(random.uniform());
    std::vector<double> sum(static_cast<size_t>(d), 0.5), square(static_cast<size_t>(d), 0.25);
    const std::vector<double> before = sum, before_square = square;
    weighted_column_sums_ref(rows.view, rows.center.data(), weights.data(), 0, sum.data(), square.data());
    long double plain = 0.5;
    for (int64_t r = 0; r < 50; ++r)
      plain += static_cast<long double>(weights[static_cast<size_t>(r)]) * (rows.view.f32(r)[0] - rows.center[0]);
    EXPECT_NEAR(sum[0], static_cast<double>(plain), 1e-13);
    for_each_target([&] {
      std::vector<double> got = before, got_square = before_square, alone = before;
      weighted_column_sums(rows.view, rows.center.data(), weights.data(), got.data(), got_square.data());
      weighted_column_sums(rows.view, rows.center.data(), weights.data(), alone.data(), nullptr);
      EXPECT_EQ(got, sum);
      EXPECT_EQ(got_square, square);
      EXPECT_EQ(alone, sum);
    });
  }
}

}  // namespace
}  // namespace sluice::kernels
