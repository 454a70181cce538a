#include "sluice/kernels/seed_update.h"

#include <limits>
#include <vector>

#include "gtest/gtest.h"
#include "sluice/kernels/seed_update_ref.h"
#include "sluice/kernels/testing.h"

namespace sluice::kernels {
namespace {

struct Setting {
  Metric metric;
  int64_t n, d, l;
  double origin, size;
};

// Current distances are those to a few rows taken as centres; some are exactly a candidate's distance, zero or infinite.
void expect_exact(const Setting& s) {
  TestRandom random(static_cast<uint64_t>(s.d * 100 + s.l));
  std::vector<double> values(static_cast<size_t>(s.n * s.d));
  for (double& x : values) x = static_cast<double>(static_cast<float>((random.normal() + s.origin) * s.size));
  if (s.metric == Metric::kCosine) {
    for (double& x : values) x /= std::sqrt(static_cast<double>(s.d));
  }
  std::vector<double> candidates(values.begin(), values.begin() + s.l * s.d), shift(static_cast<size_t>(s.d), s.origin * s.size);
  const int exponent = static_cast<int>(std::ceil(std::log2(s.size))) + 3;
  const TestRows rows(values, s.n, s.d, 1);
  std::vector<double> current(static_cast<size_t>(s.n), std::numeric_limits<double>::infinity());
  for (int64_t i = 0; i < s.n; ++i) {
    for (int64_t c = 0; c < 5; ++c) {
      double& now = current[static_cast<size_t>(i)];
      now = std::min(now, row_distance64(s.metric, rows.view64, i, values.data() + (s.n - 1 - c) * s.d));
    }
    if (i % 7 == 0) current[static_cast<size_t>(i)] = row_distance64(s.metric, rows.view64, i, candidates.data());
    if (i % 11 == 0) current[static_cast<size_t>(i)] = i % 2 == 0 ? std::numeric_limits<double>::infinity() : 0;
  }
  for (const RowsView& view : {rows.view64, rows.view32}) {
    std::vector<double> truth(static_cast<size_t>(s.n * s.l + 1), -7), out = truth;
    seed_distances_ref(view, s.metric, candidates.data(), s.l, current.data(), truth.data());
    SeedScratch scratch;
    seed_distances(view, s.metric, candidates.data(), s.l, current.data(), out.data(), scratch, shift.data(), exponent);
    EXPECT_EQ(out, truth) << "d " << s.d << " l " << s.l << " origin " << s.origin << " size " << s.size;
    seed_distances_ref(view, s.metric, candidates.data(), s.l, nullptr, truth.data());
    seed_distances(view, s.metric, candidates.data(), s.l, nullptr, out.data(), scratch, shift.data(), exponent);
    EXPECT_EQ(out, truth);
  }
}

TEST(SeedDistances, EveryTargetGivesPlainFloat64) {
  for_each_target([] {
    for (Metric metric : {Metric::kSquaredEuclidean, Metric::kManhattan, Metric::kCosine}) {
      for (int64_t d : {1, 2, 3, 16, 65}) {
        for (int64_t l : {1, 5, 10, 11, 16, 20}) expect_exact({metric, 101, d, l, 0, 1});
      }
    }
  });
}

TEST(SeedDistances, FarTinyAndHuge) {
  for_each_target([] {
    for (Metric metric : {Metric::kSquaredEuclidean, Metric::kManhattan}) {
      for (double origin : {1e3, 1e6}) expect_exact({metric, 80, 7, 6, origin, 1});
      for (double size : {1e-44, 1e-37, 1e-30, 1e30, 1e37}) expect_exact({metric, 80, 7, 6, 0, size});
    }
  });
}

TEST(SeedDistances, TheFilterSkipsMostRows) {
  TestRandom random(5);
  const int64_t n = 2000, d = 32, l = 7;
  std::vector<double> values(static_cast<size_t>(n * d));
  for (double& x : values) x = random.normal();
  const TestRows rows(values, n, d, 0);
  std::vector<double> current(static_cast<size_t>(n), std::numeric_limits<double>::infinity()), out(static_cast<size_t>(n * l));
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t c = 0; c < 50; ++c) {
      double& now = current[static_cast<size_t>(i)];
      now = std::min(now, row_distance64(Metric::kSquaredEuclidean, rows.view64, i, values.data() + c * d));
    }
  }
  for_each_target([&] {
    if (current_target() == Target::kScalar) return;
    SeedScratch scratch;
    seed_distances(rows.view32, Metric::kSquaredEuclidean, values.data() + 100 * d, l, current.data(), out.data(), scratch, nullptr, 3);
    std::printf("[ evaluated ] %-7s %.2f %% of distances\n", std::string(target_name()).c_str(),
                100.0 * static_cast<double>(scratch.evaluated) / static_cast<double>(n * l));
    EXPECT_LT(scratch.evaluated, n * l / 10);
  });
}

}  // namespace
}  // namespace sluice::kernels
