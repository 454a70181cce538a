#include "sluice/neighbors/knn.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "sluice/comm/thread_ranks.h"
#include "sluice/core/normalised.h"
#include "sluice/kernels/dist64.h"

namespace sluice {
namespace {

using kernels::Metric;
constexpr Metric kMetrics[] = {Metric::kSquaredEuclidean, Metric::kManhattan, Metric::kCosine};

enum class Kind { kNormal, kGrid, kDuplicates, kFar, kConstant, kSpread };
constexpr Kind kKinds[] = {Kind::kNormal, Kind::kGrid, Kind::kDuplicates, Kind::kFar, Kind::kConstant, Kind::kSpread};

std::vector<double> values_of(int64_t rows, int64_t cols, Kind kind, uint64_t seed = 5) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> values(static_cast<size_t>(rows * cols));
  for (double& x : values) {
    x = normal(random);
    if (kind == Kind::kGrid) x = static_cast<double>(random() % 3);
    if (kind == Kind::kFar) x = 1e6 + x * 1e-3;
    if (kind == Kind::kConstant) x = 0.3;
    if (kind == Kind::kSpread) x = std::ldexp(x, static_cast<int>(random() % 300) - 150);
  }
  if (kind == Kind::kDuplicates) {
    for (int64_t i = rows / 3; i < rows; ++i) std::copy_n(values.begin() + (i % 7) * cols, cols, values.begin() + i * cols);
  }
  return values;
}

MemorySource measured(std::vector<double> values, int64_t rows, int64_t cols) {
  MemorySource source(std::move(values), rows, cols);
  Context ctx;
  source.stats = measure(source, ctx);
  return source;
}

struct Near {
  double distance;
  int64_t row;
  bool operator<(const Near& b) const { return distance != b.distance ? distance < b.distance : row < b.row; }
};

std::vector<double> as_seen(std::vector<double> values, int64_t cols, Metric metric) {
  if (metric != Metric::kCosine) return values;
  for (size_t at = 0; at < values.size(); at += static_cast<size_t>(cols)) normalise(values.data() + at, cols);
  return values;
}

double published(Metric metric, double distance) {
  return metric == Metric::kSquaredEuclidean ? std::sqrt(distance) : std::max(0.0, distance);
}

// All rows in the order of a plain loop.
std::vector<Near> plain(const std::vector<double>& rows, const double* query, int64_t self, int64_t cols, Metric metric) {
  std::vector<Near> all;
  for (int64_t j = 0; j < static_cast<int64_t>(rows.size()) / cols; ++j) {
    if (j != self) all.push_back({kernels::distance64(metric, query, rows.data() + j * cols, cols), j});
  }
  std::sort(all.begin(), all.end());
  return all;
}

void expect_plain(const Neighbors& found, const std::vector<double>& rows, const std::vector<double>& queries, bool self, int64_t cols,
                  Metric metric) {
  const std::vector<double> seen = as_seen(rows, cols, metric), asked = as_seen(queries, cols, metric);
  ASSERT_EQ(found.rows(), static_cast<int64_t>(queries.size()) / cols);
  for (int64_t i = 0; i < found.rows(); ++i) {
    const auto want = plain(seen, asked.data() + i * cols, self ? i : -1, cols, metric);
    for (int64_t t = 0; t < found.k; ++t) {
      ASSERT_EQ(found.row(i)[t], want[static_cast<size_t>(t)].row) << "row " << i << ", neighbour " << t;
      ASSERT_EQ(found.distance(i)[t], published(metric, want[static_cast<size_t>(t)].distance));
    }
  }
}

TEST(Knn, IsThatOfAPlainLoop) {
  for (const Metric metric : kMetrics) {
    for (const Kind kind : kKinds) {
      for (const int64_t cols : {1, 2, 3, 9, 40}) {
        const int64_t n = 301;
        const auto values = values_of(n, cols, kind);
        const MemorySource rows = measured(values, n, cols);
        for (const NeighborWay way : {NeighborWay::kBrute, NeighborWay::kKdTree}) {
          if (way == NeighborWay::kKdTree && metric == Metric::kCosine) continue;
          for (const int64_t k : {int64_t{1}, int64_t{7}, n - 1}) {
            Context ctx;
            ctx.threads = 2;
            ctx.leaf_rows = 64;
            SCOPED_TRACE(testing::Message() << "metric " << static_cast<int>(metric) << " kind " << static_cast<int>(kind) << " cols "
                                            << cols << " way " << static_cast<int>(way) << " k " << k);
            expect_plain(knn_graph(rows, k, metric, ctx, way), values, values, true, cols, metric);
          }
        }
      }
    }
  }
}

TEST(Knn, NewRowsAreSearchedAmongTheOld) {
  for (const Metric metric : kMetrics) {
    for (const Kind kind : kKinds) {
      for (const int64_t cols : {2, 11}) {
        const auto values = values_of(120, cols, kind), asked = values_of(50, cols, kind, 6);
        const MemorySource rows = measured(values, 120, cols), queries = measured(asked, 50, cols);
        for (const NeighborWay way : {NeighborWay::kBrute, NeighborWay::kKdTree}) {
          if (way == NeighborWay::kKdTree && metric == Metric::kCosine) continue;
          for (const int64_t k : {1, 5, 120}) {
            Context ctx;
            expect_plain(knn_search(rows, queries, k, metric, ctx, way), values, asked, false, cols, metric);
          }
        }
      }
    }
  }
}

TEST(Knn, RadiusIsThatOfAPlainLoop) {
  for (const Metric metric : kMetrics) {
    for (const Kind kind : kKinds) {
      const int64_t n = 150, cols = 3;
      const auto values = values_of(n, cols, kind), seen = as_seen(values, cols, metric);
      const MemorySource rows = measured(values, n, cols);
      for (const double radius : {0.0, 0.05, 1.0, std::sqrt(2.0), 3.0}) {
        for (const NeighborWay way : {NeighborWay::kBrute, NeighborWay::kKdTree}) {
          if (way == NeighborWay::kKdTree && metric == Metric::kCosine) continue;
          Context ctx;
          ctx.threads = 2;
          ctx.leaf_rows = 32;
          const RadiusNeighbors found = radius_graph(rows, radius, metric, ctx, way);
          ASSERT_EQ(found.starts.size(), static_cast<size_t>(n + 1));
          for (int64_t i = 0; i < n; ++i) {
            auto at = found.starts[static_cast<size_t>(i)];
            for (const Near& near : plain(seen, seen.data() + i * cols, i, cols, metric)) {
              // Of cosine the decision is on 1 - cos itself, which may fall below 0 by a rounding.
              if ((metric == Metric::kCosine ? near.distance : published(metric, near.distance)) > radius) continue;
              ASSERT_LT(at, found.starts[static_cast<size_t>(i + 1)]);
              ASSERT_EQ(found.indices[static_cast<size_t>(at)], near.row);
              ASSERT_EQ(found.distances[static_cast<size_t>(at)], published(metric, near.distance));
              ++at;
            }
            ASSERT_EQ(at, found.starts[static_cast<size_t>(i + 1)]);
          }
        }
      }
    }
  }
}

bool same(const Neighbors& a, const Neighbors& b) {
  return a.k == b.k && a.indices == b.indices && a.distances == b.distances;
}

TEST(Knn, ThreadsRanksAndWayChangeNothing) {
  for (const int64_t cols : {2, 5, 30}) {
    const int64_t n = 3000;
    const MemorySource rows = measured(values_of(n, cols, Kind::kDuplicates), n, cols);
    Context one;
    const Neighbors want = knn_graph(rows, 10, Metric::kSquaredEuclidean, one);
    const RadiusNeighbors want_radius = radius_graph(rows, 0.8, Metric::kSquaredEuclidean, one);
    for (const int threads : {2, 3}) {
      for (const NeighborWay way : {NeighborWay::kAuto, NeighborWay::kBrute, NeighborWay::kKdTree}) {
        Context ctx;
        ctx.threads = threads;
        EXPECT_TRUE(same(knn_graph(rows, 10, Metric::kSquaredEuclidean, ctx, way), want));
      }
    }
    for (const NeighborWay way : {NeighborWay::kBrute, NeighborWay::kKdTree}) {
      run_as_ranks(3, [&](Communicator& comm) {
        Context ctx;
        ctx.comm = &comm;
        EXPECT_TRUE(same(knn_graph(rows, 10, Metric::kSquaredEuclidean, ctx, way), want));
        const RadiusNeighbors found = radius_graph(rows, 0.8, Metric::kSquaredEuclidean, ctx, way);
        EXPECT_EQ(found.starts, want_radius.starts);
        EXPECT_EQ(found.indices, want_radius.indices);
        EXPECT_EQ(found.distances, want_radius.distances);
      });
    }
  }
}

TEST(Knn, PermutedRowsHavePermutedNeighbours) {
  const int64_t n = 500, cols = 6, k = 9;
  const auto values = values_of(n, cols, Kind::kNormal);
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), std::mt19937_64(3));
  std::vector<double> moved;
  for (const int64_t row : order) moved.insert(moved.end(), values.begin() + row * cols, values.begin() + (row + 1) * cols);
  Context ctx;
  const Neighbors a = knn_graph(measured(values, n, cols), k, Metric::kManhattan, ctx);
  const Neighbors b = knn_graph(measured(moved, n, cols), k, Metric::kManhattan, ctx);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t t = 0; t < k; ++t) {
      EXPECT_EQ(order[static_cast<size_t>(b.row(i)[t])], a.row(order[static_cast<size_t>(i)])[t]);
      EXPECT_EQ(b.distance(i)[t], a.distance(order[static_cast<size_t>(i)])[t]);
    }
  }
}

TEST(Knn, Float32RowsGiveTheSameAsTheirFloat64Copies) {
  const int64_t n = 400, cols = 20;
  const auto values = values_of(n, cols, Kind::kNormal);
  std::vector<float> narrow(values.begin(), values.end());
  Context ctx;
  MemorySource a(DType::kF32, narrow.data(), n, cols, cols, nullptr);
  a.stats = measure(a, ctx);
  const MemorySource b = measured(std::vector<double>(narrow.begin(), narrow.end()), n, cols);
  for (const Metric metric : kMetrics) EXPECT_TRUE(same(knn_graph(a, 5, metric, ctx), knn_graph(b, 5, metric, ctx)));
}

ErrorCode code_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.code;
  }
  return ErrorCode::kBug;
}

TEST(Knn, RefusesWhatHasNoAnswer) {
  Context ctx;
  const MemorySource one = measured({1, 2}, 1, 2), three = measured({1, 2, 3, 4, 5, 6}, 3, 2);
  EXPECT_EQ(code_of([&] { knn_graph(one, 1, Metric::kManhattan, ctx); }), ErrorCode::kBadInput);
  EXPECT_EQ(code_of([&] { knn_graph(three, 3, Metric::kManhattan, ctx); }), ErrorCode::kBadInput);
  EXPECT_EQ(code_of([&] { knn_graph(three, 0, Metric::kManhattan, ctx); }), ErrorCode::kBadInput);
  EXPECT_EQ(code_of([&] { knn_search(three, one, 4, Metric::kManhattan, ctx); }), ErrorCode::kBadInput);
  EXPECT_EQ(code_of([&] { knn_search(three, measured({1, 2, 3}, 1, 3), 1, Metric::kManhattan, ctx); }), ErrorCode::kBadInput);
  EXPECT_EQ(code_of([&] { knn_graph(three, 1, Metric::kCosine, ctx, NeighborWay::kKdTree); }), ErrorCode::kUsage);
  EXPECT_EQ(code_of([&] { radius_graph(three, -1, Metric::kManhattan, ctx); }), ErrorCode::kUsage);
  const MemorySource holes = measured({1, NAN, 3, 4}, 2, 2);
  EXPECT_EQ(code_of([&] { knn_graph(holes, 1, Metric::kManhattan, ctx); }), ErrorCode::kBadInput);
  ctx.memory = 1000;
  const MemorySource many = measured(values_of(500, 2, Kind::kConstant), 500, 2);
  EXPECT_EQ(code_of([&] { knn_graph(many, 20, Metric::kManhattan, ctx); }), ErrorCode::kMemory);
  EXPECT_EQ(code_of([&] { radius_graph(many, 1, Metric::kManhattan, ctx); }), ErrorCode::kMemory);
  const std::atomic<bool> stop{true};
  Context stopped;
  stopped.stop = &stop;
  EXPECT_EQ(code_of([&] { knn_graph(three, 1, Metric::kManhattan, stopped); }), ErrorCode::kInterrupted);
}

}  // namespace
}  // namespace sluice
