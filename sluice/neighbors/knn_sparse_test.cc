// Neighbours of sparse rows are those of the same rows written out.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "sluice/comm/thread_ranks.h"
#include "sluice/core/csr.h"
#include "sluice/core/random.h"
#include "sluice/neighbors/knn.h"
#include "sluice/neighbors/neighbors.h"

namespace sluice {
namespace {

using kernels::Metric;
constexpr Metric kMetrics[] = {Metric::kSquaredEuclidean, Metric::kManhattan, Metric::kCosine};

struct Both {
  std::unique_ptr<CsrSource> sparse;
  std::unique_ptr<MemorySource> dense;
};

enum class Kind { kTexts, kFewValues, kSigns, kSpread };
constexpr Kind kKinds[] = {Kind::kTexts, Kind::kFewValues, Kind::kSigns, Kind::kSpread};

// Rows of 0 to 8 values, some of zeros only, every seventh a copy of one before.
Both rows_of(int64_t n, int64_t d, Kind kind, uint64_t seed = 1) {
  CsrStore store({});
  std::vector<double> dense(static_cast<size_t>(n * d));
  Random random(seed, RandomStage::kSubsample, 0);
  for (int64_t i = 0; i < n; ++i) {
    double* row = dense.data() + i * d;
    const auto words = static_cast<int64_t>(random.below(9));
    for (int64_t w = 0; w < words; ++w) {
      double& x = row[random.below(static_cast<uint64_t>(random.uniform() < 0.5 ? d / 8 + 1 : d))];
      x = 0.1 + random.uniform();
      if (kind == Kind::kFewValues) x = static_cast<double>(1 + random.below(2));
      if (kind == Kind::kSigns) x -= 0.6;
      if (kind == Kind::kSpread) x = std::ldexp(x, static_cast<int>(random.below(300)) - 150);
    }
    if (i % 7 == 6) std::copy_n(dense.data() + (i / 7) * d, d, row);
    std::vector<int32_t> indices;
    std::vector<double> values;
    for (int64_t j = 0; j < d; ++j) {
      if (row[j] == 0) continue;
      indices.push_back(static_cast<int32_t>(j));
      values.push_back(row[j]);
    }
    store.append(indices, values);
  }
  Both out{store.finish(d), std::make_unique<MemorySource>(std::move(dense), n, d)};
  Context ctx;
  out.sparse->stats = measure(*out.sparse, ctx);
  out.dense->stats = measure(*out.dense, ctx);
  return out;
}

TEST(KnnSparse, IsThatOfTheRowsWrittenOut) {
  for (const Kind kind : kKinds) {
    const Both rows = rows_of(311, 70, kind), queries = rows_of(90, 70, kind, 2);
    for (const Metric metric : kMetrics) {
      for (const int64_t k : {1, 6, 310}) {
        SCOPED_TRACE(::testing::Message() << "kind " << static_cast<int>(kind) << " metric " << static_cast<int>(metric) << " k " << k);
        Context ctx;
        const Neighbors graph = knn_graph(*rows.dense, k, metric, ctx), search = knn_search(*rows.dense, *queries.dense, k, metric, ctx);
        for (const int64_t leaf : {0, 64}) {
          ctx.threads = leaf == 0 ? 1 : 3;
          ctx.leaf_rows = leaf;
          const Neighbors a = knn_graph(*rows.sparse, k, metric, ctx);
          ASSERT_EQ(a.indices, graph.indices);
          ASSERT_EQ(a.distances, graph.distances);
          const Neighbors b = knn_search(*rows.sparse, *queries.sparse, k, metric, ctx);
          ASSERT_EQ(b.indices, search.indices);
          ASSERT_EQ(b.distances, search.distances);
        }
      }
    }
  }
}

TEST(KnnSparse, WithinARadius) {
  for (const Kind kind : {Kind::kTexts, Kind::kFewValues, Kind::kSigns}) {
    const Both rows = rows_of(300, 60, kind), queries = rows_of(80, 60, kind, 2);
    for (const Metric metric : kMetrics) {
      for (const double radius : {0.0, 0.7, 1.0, 2.0}) {
        SCOPED_TRACE(::testing::Message() << "kind " << static_cast<int>(kind) << " metric " << static_cast<int>(metric) << " r "
                                          << radius);
        Context ctx;
        ctx.threads = 2;
        ctx.leaf_rows = 64;
        const RadiusNeighbors a = radius_graph(*rows.sparse, radius, metric, ctx), b = radius_graph(*rows.dense, radius, metric, ctx);
        ASSERT_EQ(a.starts, b.starts);
        ASSERT_EQ(a.indices, b.indices);
        ASSERT_EQ(a.distances, b.distances);
        const RadiusNeighbors c = radius_search(*rows.sparse, *queries.sparse, radius, metric, ctx);
        const RadiusNeighbors e = radius_search(*rows.dense, *queries.dense, radius, metric, ctx);
        ASSERT_EQ(c.starts, e.starts);
        ASSERT_EQ(c.indices, e.indices);
        ASSERT_EQ(c.distances, e.distances);
      }
    }
  }
}

TEST(KnnSparse, RanksAndMixedForms) {
  const Both rows = rows_of(200, 40, Kind::kTexts), queries = rows_of(50, 40, Kind::kTexts, 2);
  for (const Metric metric : kMetrics) {
    Context one;
    const Neighbors truth = knn_graph(*rows.dense, 4, metric, one), asked = knn_search(*rows.dense, *queries.dense, 4, metric, one);
    const RadiusNeighbors near = radius_graph(*rows.dense, 0.9, metric, one);
    run_as_ranks(3, [&](Communicator& comm) {
      Context ctx;
      ctx.leaf_rows = 32;
      ctx.comm = &comm;
      const Neighbors found = knn_graph(*rows.sparse, 4, metric, ctx);
      EXPECT_EQ(found.indices, truth.indices);
      EXPECT_EQ(found.distances, truth.distances);
      EXPECT_EQ(radius_graph(*rows.sparse, 0.9, metric, ctx).distances, near.distances);
    });
    EXPECT_EQ(knn_search(*rows.sparse, *queries.dense, 4, metric, one).distances, asked.distances);
    EXPECT_EQ(knn_search(*rows.dense, *queries.sparse, 4, metric, one).distances, asked.distances);
  }
}

TEST(KnnSparse, TheModelHoldsSparseRows) {
  const Both rows = rows_of(120, 50, Kind::kTexts), queries = rows_of(30, 50, Kind::kTexts, 2);
  Context ctx;
  NeighborsParams params;
  params.metric = Metric::kCosine;
  const ModelFile good = neighbors_run(*rows.sparse, params, ctx).model;
  const ModelFile dense = neighbors_run(*rows.dense, params, ctx).model;
  EXPECT_FALSE(good.has("rows"));
  const Outcome a = neighbors_apply(good, *queries.sparse, ctx), b = neighbors_apply(dense, *queries.dense, ctx);
  EXPECT_EQ(a.result.all(), b.result.all());
  for (size_t i = 0; i < 2; ++i) EXPECT_EQ(a.arrays[i].values, b.arrays[i].values);
  const auto expect_damaged = [&](const char* name, auto values) {
    ModelFile file = good;
    file.put(name, values);
    try {
      neighbors_apply(file, *queries.sparse, ctx);
      ADD_FAILURE() << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.code, ErrorCode::kBadModel) << name << ": " << error.what();
    }
  };
  const auto changed = [](auto values, size_t at, auto value) {
    values[at] = value;
    return values;
  };
  const auto starts = good.integers("row_starts"), columns = good.integers("row_columns");
  const auto values = good.vector("row_values");
  expect_damaged("row_starts", changed(starts, 1, int64_t{1'000'000}));
  expect_damaged("row_starts", changed(starts, 0, int64_t{1}));
  expect_damaged("row_starts", std::vector<int64_t>{0});
  expect_damaged("row_columns", changed(columns, 0, int64_t{50}));
  expect_damaged("row_columns", changed(columns, 0, int64_t{-1}));
  expect_damaged("row_columns", std::vector<int64_t>(columns.size(), 3));
  expect_damaged("row_values", changed(values, 0, 0.0));
  expect_damaged("row_values", changed(values, 0, 1e200));
  expect_damaged("row_values", std::vector<double>(3, 1.0));
  expect_damaged("n_columns", std::vector<int64_t>{0});
  expect_damaged("n_columns", std::vector<int64_t>{1, 2});
}

}  // namespace
}  // namespace sluice
