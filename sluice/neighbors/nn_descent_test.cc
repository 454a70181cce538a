#include "sluice/neighbors/nn_descent.h"

#include <gtest/gtest.h>

#include <random>

#include "sluice/comm/thread_ranks.h"

namespace sluice {
namespace {

using kernels::Metric;

MemorySource rows_of(int64_t n, int64_t d, bool twice) {
  std::mt19937_64 random(4);
  std::normal_distribution<double> normal;
  std::vector<double> values(static_cast<size_t>(n * d));
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < d; ++j) values[static_cast<size_t>(i * d + j)] = normal(random) + (i % 10 == j ? 6 : 0);
    if (twice && i % 2 == 1) std::copy_n(values.begin() + (i - 1) * d, d, values.begin() + i * d);
  }
  MemorySource source(std::move(values), n, d);
  Context ctx;
  source.stats = measure(source, ctx);
  return source;
}

TEST(NnDescent, FindsNearlyAllOnHardRows) {
  for (const Metric metric : {Metric::kSquaredEuclidean, Metric::kManhattan, Metric::kCosine}) {
    const int64_t n = 6000, k = 10;
    const MemorySource rows = rows_of(n, 20, false);
    Context ctx;
    ctx.threads = 2;
    const ApproximateNeighbors found = nn_descent(rows, k, metric, ctx);
    const Neighbors exact = knn_graph(rows, k, metric, ctx);
    int64_t right = 0;
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t t = 0; t < k; ++t) {
        right += std::find(exact.row(i), exact.row(i) + k, found.graph.row(i)[t]) != exact.row(i) + k;
        ASSERT_NE(found.graph.row(i)[t], i);
        if (t == 0) continue;
        ASSERT_TRUE(found.graph.distance(i)[t - 1] < found.graph.distance(i)[t] ||
                    (found.graph.distance(i)[t - 1] == found.graph.distance(i)[t] && found.graph.row(i)[t - 1] < found.graph.row(i)[t]));
      }
    }
    const double recall = static_cast<double>(right) / static_cast<double>(n * k);
    EXPECT_GT(recall, 0.97);
    EXPECT_NEAR(found.recall, recall, 0.02);
    EXPECT_EQ(found.recall_rows, 256);
    printf("recall %.4f, measured %.4f, rounds %ld\n", recall, found.recall, static_cast<long>(found.n_iter));
  }
}

TEST(NnDescent, FewRowsAreExact) {
  const MemorySource rows = rows_of(300, 7, true);
  Context ctx;
  const ApproximateNeighbors found = nn_descent(rows, 12, Metric::kSquaredEuclidean, ctx);
  const Neighbors exact = knn_graph(rows, 12, Metric::kSquaredEuclidean, ctx);
  EXPECT_EQ(found.graph.indices, exact.indices);
  EXPECT_EQ(found.graph.distances, exact.distances);
  EXPECT_EQ(found.recall, 1);
}

TEST(NnDescent, ThreadsAndRanksChangeNothing) {
  const MemorySource rows = rows_of(3000, 12, true);
  Context one;
  one.seed = 7;
  const ApproximateNeighbors want = nn_descent(rows, 8, Metric::kSquaredEuclidean, one);
  for (const int threads : {2, 3}) {
    Context ctx;
    ctx.seed = 7;
    ctx.threads = threads;
    const ApproximateNeighbors found = nn_descent(rows, 8, Metric::kSquaredEuclidean, ctx);
    EXPECT_EQ(found.graph.indices, want.graph.indices);
    EXPECT_EQ(found.graph.distances, want.graph.distances);
    EXPECT_EQ(found.recall, want.recall);
    EXPECT_EQ(found.n_iter, want.n_iter);
  }
  run_as_ranks(2, [&](Communicator& comm) {
    Context ctx;
    ctx.seed = 7;
    ctx.comm = &comm;
    EXPECT_EQ(nn_descent(rows, 8, Metric::kSquaredEuclidean, ctx).graph.indices, want.graph.indices);
  });
}

TEST(NnDescent, ConstantRowsEndWell) {
  MemorySource rows(std::vector<double>(4000, 1.5), 2000, 2);
  Context ctx;
  rows.stats = measure(rows, ctx);
  const ApproximateNeighbors found = nn_descent(rows, 5, Metric::kSquaredEuclidean, ctx);
  EXPECT_EQ(found.recall, 1);
  for (const double x : found.graph.distances) EXPECT_EQ(x, 0);
}

}  // namespace
}  // namespace sluice
