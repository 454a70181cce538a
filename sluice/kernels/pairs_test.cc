#include "sluice/kernels/pairs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "sluice/kernels/pairs_ref.h"
#include "sluice/kernels/sample_rows.h"
#include "sluice/kernels/testing.h"

namespace sluice::kernels {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr Metric kMetrics[] = {Metric::kSquaredEuclidean, Metric::kManhattan, Metric::kCosine};

void normalise(SampleRows& rows) {
  const RowsView& v = rows.view;
  for (int64_t i = 0; i < v.rows; ++i) {
    double* x = rows.wide.data() + i * v.stride;
    const double norm = std::sqrt(dot(x, x, v.cols));
    for (int64_t j = 0; j < v.cols; ++j) x[j] = norm > 0 ? x[j] / norm : 0;
  }
  rows.narrow.assign(rows.wide.begin(), rows.wide.end());
  if (!v.is_f64) rows.wide.assign(rows.narrow.begin(), rows.narrow.end());
  rows.view.data = v.is_f64 ? static_cast<const void*>(rows.wide.data()) : rows.narrow.data();
}

struct Case {
  Metric metric;
  const SampleRows& a;
  const SampleRows& b;
  const double* shift;
  int scale;
};

// A distance that occurs, at the given place of the ascending list of all of them.
double quantile(const Case& c, double share) {
  std::vector<double> all;
  all_pairs_ref(c.metric, c.a.view, c.b.view, [&](int64_t, int64_t, double value) { all.push_back(value); });
  if (all.empty()) return 1;
  auto at = all.begin() + static_cast<int64_t>(share * static_cast<double>(all.size() - 1));
  std::nth_element(all.begin(), at, all.end());
  return *at;
}

void check_within(const Case& c, double limit) {
  using Pairs = std::vector<std::pair<int64_t, int64_t>>;
  std::vector<int64_t> counts(c.a.view.rows, 3);
  Pairs pairs;
  count_within_ref(c.metric, c.a.view, c.b.view, limit, counts.data());
  all_pairs_ref(c.metric, c.a.view, c.b.view, [&](int64_t i, int64_t j, double value) {
    if (value <= limit) pairs.emplace_back(i, j);
  });
  const PairPlan plan(c.metric, c.a.view.cols, c.shift, c.scale);
  for_each_target([&] {
    PairScratch scratch;
    std::vector<int64_t> got(c.a.view.rows, 3);
    Pairs seen;
    plan.count_within(c.a.view, c.b.view, limit, got.data(), scratch);
    plan.visit_within(c.a.view, c.b.view, limit, [&](int64_t i, int64_t j) { seen.emplace_back(i, j); }, scratch);
    EXPECT_EQ(got, counts) << target_name() << " limit " << limit << " d " << c.a.view.cols;
    EXPECT_EQ(seen, pairs) << target_name() << " limit " << limit << " d " << c.a.view.cols;
  });
}

void check_nearest(const Case& c, int64_t k, int64_t a_first) {
  const size_t size = c.a.view.rows * k;
  const int64_t half = c.b.view.rows / 2;
  std::vector<double> distance(size, kInfinity);
  std::vector<int64_t> index(size, -1);
  nearest_ref(c.metric, c.a.view, c.b.view, 0, a_first, k, distance.data(), index.data());
  const PairPlan plan(c.metric, c.a.view.cols, c.shift, c.scale);
  for_each_target([&] {
    PairScratch scratch;
    std::vector<double> got(size, kInfinity);
    std::vector<int64_t> got_index(size, -1);
    // The later half first: the result must not depend on the order of the blocks.
    RowsView part = c.b.view;
    part.rows = c.b.view.rows - half;
    part.data = c.b.view.is_f64 ? static_cast<const void*>(c.b.view.f64(half)) : c.b.view.f32(half);
    plan.nearest(c.a.view, part, half, a_first, k, got.data(), got_index.data(), scratch);
    part = c.b.view;
    part.rows = half;
    plan.nearest(c.a.view, part, 0, a_first, k, got.data(), got_index.data(), scratch);
    EXPECT_EQ(got, distance) << target_name() << " k " << k << " d " << c.a.view.cols;
    EXPECT_EQ(got_index, index) << target_name() << " k " << k << " d " << c.a.view.cols;
  });
}

void check_sums(const Case& c, int64_t k) {
  std::vector<int32_t> labels(c.b.view.rows);
  for (size_t j = 0; j < labels.size(); ++j) labels[j] = static_cast<int32_t>((j * j) % (k + 1)) - 1;
  std::vector<double> sums(c.a.view.rows * k, 0.5);
  distance_sums_ref(c.metric, c.a.view, c.b.view, labels.data(), k, sums.data());
  const PairPlan plan(c.metric, c.a.view.cols, c.shift, c.scale);
  for_each_target([&] {
    PairScratch scratch;
    std::vector<double> got(c.a.view.rows * k, 0.5);
    plan.distance_sums(c.a.view, c.b.view, labels.data(), k, got.data(), scratch);
    EXPECT_EQ(got, sums) << target_name() << " k " << k << " d " << c.a.view.cols;
  });
}

void check_all(const Case& c) {
  for (double share : {0.0, 0.05, 0.5, 1.0}) {
    const double limit = quantile(c, share);  // exactly a distance that occurs: one side of the tie is in, the next number is out
    check_within(c, limit);
    check_within(c, std::nextafter(limit, -kInfinity));
  }
  for (double limit : {-1.0, 0.0, kInfinity}) check_within(c, limit);
  for (int64_t k : {1, 5, 40}) {
    check_nearest(c, k, -1);
    check_nearest(c, k, 3);
  }
  check_sums(c, 1);
  check_sums(c, 4);
}

TEST(Pairs, EqualsPlainLoopsForAnyColumnsAndStorage) {
  for (Metric metric : kMetrics) {
    for (int64_t d : {1, 2, 3, 8, 16, 17, 64, 129}) {
      for (int storage = 0; storage < 4; ++storage) {
        SampleRows a = make_sample_rows(61, d, (storage & 1) != 0, d);
        SampleRows b = make_sample_rows(150, d, (storage & 2) != 0, d + 1);
        if (metric == Metric::kCosine) {
          normalise(a);
          normalise(b);
        }
        check_all({metric, a, b, storage == 1 ? nullptr : a.center.data(), 3});
      }
    }
  }
}

TEST(Pairs, FarFromTheOrigin) {
  for (Metric metric : {Metric::kSquaredEuclidean, Metric::kManhattan}) {
    for (double offset : {1e6, 1e8, -1e12}) {
      for (bool is_f64 : {false, true}) {
        for (int64_t d : {2, 17, 64}) {
          const SampleRows a = make_sample_rows(50, d, is_f64, 1, offset);
          const SampleRows b = make_sample_rows(101, d, is_f64, 2, offset);
          check_all({metric, a, b, a.center.data(), 3});
          check_all({metric, a, b, nullptr, 40});  // an unhelpful shift and scale cost time only
        }
      }
    }
  }
}

TEST(Pairs, TinyAndHugeValues) {
  for (Metric metric : {Metric::kSquaredEuclidean, Metric::kManhattan}) {
    for (auto [value, exponent] : {std::pair{1e-30, -97}, {1e30, 102}, {1e-160, -529}, {1e150, 501}, {1e-310, -1027}}) {
      for (int64_t d : {1, 3, 33}) {
        const SampleRows a = make_sample_rows(50, d, true, 1, 0, value);
        const SampleRows b = make_sample_rows(70, d, true, 2, 0, value);
        check_all({metric, a, b, a.center.data(), exponent});
        check_all({metric, a, b, nullptr, 0});
      }
    }
  }
}

TEST(Pairs, SquaresThatOverflow) {
  const SampleRows a = make_sample_rows(20, 5, true, 1, 0, 1e200);
  const SampleRows b = make_sample_rows(30, 5, true, 2, 0, 1e200);
  check_all({Metric::kSquaredEuclidean, a, b, nullptr, 668});
  check_all({Metric::kSquaredEuclidean, a, b, nullptr, 0});
}

// Small integers: distances tie in masses, and every radius below meets many of them exactly.
TEST(Pairs, GridPointsAndDuplicates) {
  for (Metric metric : {Metric::kSquaredEuclidean, Metric::kManhattan}) {
    for (double unit : {1.0, 0.1}) {
      for (int64_t d : {1, 2, 3, 16}) {
        for (bool is_f64 : {false, true}) {
          SampleRows b = make_sample_rows(300, d, is_f64, 9);
          for (int64_t i = 0; i < 300; ++i) {
            for (int64_t j = 0; j < d; ++j) {
              const int64_t cell = (i * (j + 3) + i / 7) % 4;
              b.wide[i * b.view.stride + j] = 1000 + unit * static_cast<double>(cell);
              b.narrow[i * b.view.stride + j] = static_cast<float>(b.wide[i * b.view.stride + j]);
            }
          }
          const std::vector<double> shift(d, 1001);
          const Case c{metric, b, b, shift.data(), 3};
          for (double radius : {0.0, 1.0, 2.0, 3.0, 5.0})
            check_within(c, metric == Metric::kManhattan ? unit * radius : unit * unit * radius);
          check_within(c, quantile(c, 0.3));
          for (int64_t k : {1, 7, 100}) check_nearest(c, k, 0);
        }
      }
    }
  }
}

// Candidate lists fill up many times, most of all where each row of b is nearer than the one before.
TEST(Pairs, NearestOfManyRows) {
  for (Metric metric : kMetrics) {
    for (bool approaching : {false, true}) {
      SampleRows a = make_sample_rows(53, 5, false, 3);
      SampleRows b = make_sample_rows(1500, 5, true, 4);
      for (int64_t i = 0; approaching && i < 1500; ++i) {
        for (int64_t j = 0; j < 5; ++j) b.wide[i * b.view.stride + j] *= 1500.0 - static_cast<double>(i);
      }
      if (metric == Metric::kCosine) {
        normalise(a);
        normalise(b);
      }
      for (int64_t k : {1, 2, 15, 17, 60, 2000}) check_nearest({metric, a, b, nullptr, 12}, k, 40);
    }
  }
}

TEST(Pairs, AllRowsEqualAndZeroRows) {
  for (Metric metric : kMetrics) {
    const SampleRows a = make_sample_rows(60, 7, false, 1, 0, 0);
    check_all({metric, a, a, nullptr, 0});
    const SampleRows many = make_sample_rows(700, 7, false, 1, 0.5, 0);  // candidate lists that cannot be thinned
    for (int64_t k : {1, 15, 17}) check_nearest({metric, a, many, nullptr, 0}, k, 0);
    const SampleRows b = make_sample_rows(60, 7, true, 1, 0.1, 0);
    check_all({metric, b, b, nullptr, 0});
  }
}

TEST(Pairs, AnOutlierAndUnrepresentableRowsAreStillDecided) {
  for (Metric metric : {Metric::kSquaredEuclidean, Metric::kManhattan}) {
    SampleRows a = make_sample_rows(60, 9, true, 1);
    SampleRows b = make_sample_rows(200, 9, true, 2);
    b.wide[5 * b.view.stride] = 1e12;
    b.wide[70 * b.view.stride + 3] = -1e120;
    a.wide[9 * a.view.stride + 8] = 1e60;
    check_all({metric, a, b, nullptr, 3});
    check_all({metric, b, a, nullptr, 3});
  }
}

TEST(Pairs, EmptyAndSingleBlocks) {
  const SampleRows none = make_sample_rows(0, 4, true, 1);
  const SampleRows one = make_sample_rows(1, 4, true, 1);
  const SampleRows some = make_sample_rows(33, 4, false, 2);
  for (Metric metric : kMetrics) {
    for (const SampleRows* a : {&none, &one, &some}) {
      for (const SampleRows* b : {&none, &one, &some}) check_all({metric, *a, *b, nullptr, 2});
    }
  }
}

// The filter must do the work: a bound gone wide would leave all results right and all speed gone.
TEST(Pairs, FewPairsAreDecidedInFloat64) {
  const int64_t n = 1000, d = 64;
  const SampleRows a = make_sample_rows(n, d, true, 1, 1e6);
  const PairPlan plan(Metric::kSquaredEuclidean, d, a.center.data(), 3);
  std::vector<int64_t> counts(n);
  PairScratch scratch;
  if (current_target() == Target::kScalar) GTEST_SKIP() << "the scalar target has no filter";
  plan.count_within(a.view, a.view, 100.0, counts.data(), scratch);
  EXPECT_LT(scratch.rechecked, n * n / 500);
  scratch.rechecked = 0;
  std::vector<double> distance(n * 10, kInfinity);
  std::vector<int64_t> index(n * 10, -1);
  plan.nearest(a.view, a.view, 0, 0, 10, distance.data(), index.data(), scratch);
  EXPECT_LT(scratch.rechecked, n * 13);
}

}  // namespace
}  // namespace sluice::kernels
