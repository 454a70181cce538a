// K-means on sparse rows gives what it gives on the same rows written out.
#include <gtest/gtest.h>

#include <algorithm>

#include "sluice/cluster/kmeans.h"
#include "sluice/core/csr.h"
#include "sluice/core/random.h"

namespace sluice {
namespace {

struct Both {
  std::unique_ptr<CsrSource> sparse;
  std::unique_ptr<MemorySource> dense;
};

// Rows of 0 to 9 values; the columns follow one of 6 topics.
Both topics(int64_t n, int64_t d, bool weighted) {
  CsrStore store({});
  std::vector<double> dense(static_cast<size_t>(n * d));
  std::vector<double> weights;
  Random random(11, RandomStage::kSubsample, 0);
  for (int64_t i = 0; i < n; ++i) {
    const auto topic = static_cast<int64_t>(random.below(6));
    const auto words = static_cast<int64_t>(random.below(10));
    double* row = dense.data() + i * d;
    for (int64_t w = 0; w < words; ++w) {
      const auto j = static_cast<int64_t>(random.below(static_cast<uint64_t>(random.uniform() < 0.7 ? d / 6 : d)));
      row[(j + topic * (d / 6)) % d] += 0.1 + random.uniform();
    }
    std::vector<int32_t> indices;
    std::vector<double> values;
    for (int64_t j = 0; j < d; ++j) {
      if (row[j] == 0) continue;
      indices.push_back(static_cast<int32_t>(j));
      values.push_back(row[j]);
    }
    store.append(indices, values);
    weights.push_back(static_cast<double>(random.below(4)) / 3);
  }
  Both out{store.finish(d), std::make_unique<MemorySource>(std::move(dense), n, d)};
  if (weighted) {
    out.sparse->set_weights(weights);
    out.dense->set_weights(weights);
  }
  Context ctx;
  out.sparse->stats = measure(*out.sparse, ctx);
  out.dense->stats = measure(*out.dense, ctx);
  return out;
}

std::vector<int32_t> all(const RowColumn<int32_t>& labels) {
  return {labels.at(labels.first_row()), labels.at(labels.first_row()) + (labels.last_row() - labels.first_row())};
}

void expect_same(const Both& rows, const KMeansParams& params, Context ctx) {
  const KMeansFit a = kmeans_fit(*rows.sparse, params, {}, ctx);
  ctx.threads = 1;
  const KMeansFit b = kmeans_fit(*rows.dense, params, {}, ctx);
  EXPECT_EQ(all(a.labels), all(b.labels));
  EXPECT_EQ(a.cluster_centers.values, b.cluster_centers.values);
  EXPECT_EQ(a.cluster_sizes, b.cluster_sizes);
  EXPECT_EQ(a.inertia, b.inertia);
  EXPECT_EQ(a.n_iter, b.n_iter);
  EXPECT_EQ(a.starts, b.starts);
  const KMeansAssignment c = kmeans_assign(a.cluster_centers, params.metric, *rows.sparse, ctx);
  EXPECT_EQ(all(c.labels), all(b.labels));
  EXPECT_EQ(c.inertia, b.inertia);
}

TEST(KMeansSparse, EveryMetricStartAndWeighting) {
  for (const bool weighted : {false, true}) {
    const Both rows = topics(700, 90, weighted);
    for (const KMeansMetric metric : {KMeansMetric::kEuclidean, KMeansMetric::kCosine, KMeansMetric::kManhattan}) {
      for (const char* init : {"k-means++", "k-means-parallel", "random"}) {
        SCOPED_TRACE(std::string(init) + " metric " + std::to_string(static_cast<int>(metric)) + (weighted ? " weighted" : ""));
        KMeansParams params;
        params.n_clusters = 7;
        params.metric = metric;
        params.init = init;
        params.n_init = 2;
        Context ctx;
        ctx.threads = 3;
        ctx.leaf_rows = 64;
        expect_same(rows, params, ctx);
      }
    }
  }
}

TEST(KMeansSparse, MiniBatchesAndFarMoreClustersThanTopics) {
  const Both rows = topics(400, 60, false);
  KMeansParams params;
  params.n_clusters = 60;  // some run empty and are repaired
  params.metric = KMeansMetric::kCosine;
  expect_same(rows, params, {});
  params.metric = KMeansMetric::kEuclidean;
  expect_same(rows, params, {});
  params.n_clusters = 5;
  params.mini_batch = true;
  params.batch_size = 64;
  params.max_iter = 4;
  expect_same(rows, params, {});
}

TEST(KMeansSparse, HardlyAnyValues) {
  // Below one value in fifty the number of starts goes by the values that are there, whichever way they are stored.
  const Both rows = topics(900, 1200, false);
  KMeansParams params;
  params.n_clusters = 6;
  params.metric = KMeansMetric::kCosine;
  params.max_iter = 5;
  expect_same(rows, params, {});
}

TEST(KMeansSparse, DistancesToOnesOwnCentre) {
  const Both rows = topics(300, 80, false);
  for (const KMeansMetric metric : {KMeansMetric::kEuclidean, KMeansMetric::kCosine, KMeansMetric::kManhattan}) {
    KMeansParams params;
    params.n_clusters = 5;
    params.metric = metric;
    Context ctx;
    const Outcome fit = kmeans_run(*rows.sparse, params, ctx);
    std::vector<double> sparse(300), dense(300);
    BlockBuffer buffer;
    fit.distances_csr(rows.sparse->read_csr(0, 300, buffer), fit.labels->at(0), sparse.data());
    fit.distances(rows.dense->read(0, 300, buffer), fit.labels->at(0), dense.data());
    EXPECT_EQ(sparse, dense);
    EXPECT_GT(*std::max_element(dense.begin(), dense.end()), 0);
  }
}

TEST(KMeansSparse, RowsOfZerosOnly) {
  CsrSource rows({0, 0, 0, 0}, {}, {}, 5);
  Context ctx;
  rows.stats = measure(rows, ctx);
  KMeansParams params;
  params.n_clusters = 2;
  params.metric = KMeansMetric::kCosine;
  const KMeansFit fit = kmeans_fit(rows, params, {}, ctx);
  EXPECT_EQ(all(fit.labels), (std::vector<int32_t>{0, 0, 0}));
  EXPECT_EQ(fit.inertia, 3);
}

}  // namespace
}  // namespace sluice
