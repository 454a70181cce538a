#include "sluice/cluster/lloyd.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>

#include "sluice/cluster/kmeans.h"
#include "sluice/cluster/testing.h"
#include "sluice/core/normalised.h"
#include "sluice/kernels/dist64.h"

namespace sluice {
namespace {

using testing::blobs;
using testing::Memory;
using testing::rows_of;
using testing::StopAt;
using testing::table;

KMeansParams params_of(int64_t k, KMeansMetric metric = KMeansMetric::kEuclidean) {
  KMeansParams params;
  params.n_clusters = k;
  params.metric = metric;
  return params;
}

Matrix<double> column(std::vector<double> values) {
  Matrix<double> out(static_cast<int64_t>(values.size()), 1);
  out.values = std::move(values);
  return out;
}

std::vector<int32_t> labels_of(const KMeansFit& fit) {
  return {fit.labels.at(0), fit.labels.at(0) + fit.labels.last_row()};
}

TEST(Lloyd, FarOffsetsKeepTheLabelsOfThePlainMethod) {
  // At 1e8 a float32 sees no difference between these rows, and a double has 8 digits left for them.
  const auto near = blobs(600, 3, 5, 1, 4);
  const auto far = blobs(600, 3, 5, 1, 4, 1e8);
  Context ctx;
  ctx.threads = 2;
  KMeansParams params = params_of(5);
  params.tol = 0;
  const Matrix<double> start = rows_of(*far, {0, 1, 2, 3, 4});
  const KMeansFit fit = kmeans_fit(*far, params, start, ctx);
  const testing::PlainFit plain = testing::plain_kmeans(*far, start, static_cast<int>(fit.n_iter));
  EXPECT_EQ(labels_of(fit), plain.labels);
  EXPECT_NEAR(fit.inertia, plain.inertia, 1e-6 * plain.inertia);
  const KMeansFit same = kmeans_fit(*near, params, rows_of(*near, {0, 1, 2, 3, 4}), ctx);
  EXPECT_NEAR(fit.inertia, same.inertia, 1e-6 * same.inertia);
}

TEST(Lloyd, AFinishedFitIsAFixedPoint) {
  const auto source = blobs(500, 4, 7, 3, 8);
  Context ctx;
  ctx.threads = 2;
  for (const KMeansMetric metric : {KMeansMetric::kEuclidean, KMeansMetric::kManhattan, KMeansMetric::kCosine}) {
    KMeansParams params = params_of(7, metric);
    params.tol = 0;
    params.n_init = 1;
    const KMeansFit fit = kmeans_fit(*source, params, {}, ctx);
    ASSERT_TRUE(fit.converged);
    const KMeansFit again = kmeans_fit(*source, params, fit.cluster_centers, ctx);
    EXPECT_EQ(labels_of(again), labels_of(fit));
    for (size_t i = 0; i < fit.cluster_centers.values.size(); ++i)
      EXPECT_NEAR(again.cluster_centers.values[i], fit.cluster_centers.values[i], 1e-12);
  }
}

// Rows without weight get labels and move nothing: the fit is that of the others.
TEST(Lloyd, RowsWithoutWeightMoveNothing) {
  const auto source = table({0, 1, 10, 11, 500, 600, 20, 21}, 8, 1);
  source->set_weights({1, 1, 1, 1, 0, 0, 1, 1});
  const auto others = table({0, 1, 10, 11, 20, 21}, 6, 1);
  for (const KMeansMetric metric : {KMeansMetric::kEuclidean, KMeansMetric::kManhattan}) {
    for (const auto& start : {column({0, 10, 550}), column({0, 700, 800})}) {
      Context ctx;
      const KMeansFit fit = kmeans_fit(*source, params_of(3, metric), start, ctx);
      const KMeansFit plain = kmeans_fit(*others, params_of(3, metric), start, ctx);
      EXPECT_EQ(fit.cluster_centers, plain.cluster_centers);
      EXPECT_EQ(fit.inertia, plain.inertia);
      for (const double x : fit.cluster_centers.values) EXPECT_TRUE(std::isfinite(x));
    }
  }
}

// A row of zeros is at distance 1 from every direction; as a centre it would draw all rows that point away from the others.
TEST(Lloyd, CosineNeverTakesAZeroRowAsACentre) {
  const auto source = table({0, 0, 0, 0, 1, 0, 1, 0.1, 1, 0.3, 1, 0.5}, 6, 2);
  Matrix<double> start(3, 2);
  start.values = {1, 0.05, -1, 0, -1, -1};
  Context ctx;
  const KMeansFit fit = kmeans_fit(*source, params_of(3, KMeansMetric::kCosine), start, ctx);
  for (int64_t c = 0; c < 3; ++c) EXPECT_NEAR(std::hypot(fit.cluster_centers(c, 0), fit.cluster_centers(c, 1)), 1, 1e-15) << c;
  EXPECT_EQ(std::count(fit.cluster_sizes.begin(), fit.cluster_sizes.end(), 0), 0) << "both empty clusters found a row";
  EXPECT_EQ(fit.labels[0], 0);
}

// dot(x, x) of a unit row may be a little above 1; its distance is 0 all the same.
TEST(Lloyd, CosineOfEqualRowsIsZeroNeverLess) {
  Random random(1, RandomStage::kSubsample, 3);
  int64_t above = 0;
  for (int trial = 0; trial < 30; ++trial) {
    std::vector<double> row, values;
    for (int j = 0; j < 5; ++j) row.push_back(random.normal());
    for (int i = 0; i < 6; ++i) values.insert(values.end(), row.begin(), row.end());
    const auto source = table(values, 6, 5);
    Context ctx;
    KMeansParams params = params_of(2, KMeansMetric::kCosine);
    params.n_init = 3;
    const KMeansFit fit = kmeans_fit(*source, params, {}, ctx);
    EXPECT_GE(fit.inertia, 0);
    EXPECT_LT(fit.inertia, 1e-14);
    EXPECT_EQ(fit.starts_agreed, 3);
    const NormalisedSource unit(*source);
    const std::vector<double> direction = read_row(unit, 0);
    above += kernels::dot(direction.data(), direction.data(), 5) > 1 ? 1 : 0;
  }
  EXPECT_GT(above, 0) << "else this proves nothing";
}

// Stopped after every single step that there is, also the last of a start: the rest gives the same as no stop at all.
TEST(Lloyd, AStopAtAnyStepChangesNothing) {
  const auto source = blobs(300, 3, 5, 3);
  for (const bool mini_batch : {false, true}) {
    KMeansParams params = params_of(5);
    params.n_init = 2;
    params.tol = 0.02;  // the centres still move when a start ends
    params.mini_batch = mini_batch;
    if (mini_batch) params.batch_size = 100;
    params.max_iter = mini_batch ? 4 : 300;
    Context plain;
    const KMeansFit whole = kmeans_fit(*source, params, {}, plain);
    for (int64_t at = 1;; ++at) {
      ASSERT_LT(at, 200);
      Memory memory;
      std::atomic<bool> stop{false};
      StopAt watch(at, stop);
      Context ctx;
      ctx.checkpoints = &memory;
      ctx.stop = &stop;
      ctx.progress = &watch;
      try {
        kmeans_fit(*source, params, {}, ctx);
      } catch (const Error& error) {
        ASSERT_EQ(error.code, ErrorCode::kInterrupted);
      }
      if (watch.never()) break;
      Context again;
      again.checkpoints = &memory;
      const KMeansFit fit = kmeans_fit(*source, params, {}, again);
      EXPECT_EQ(fit.cluster_centers, whole.cluster_centers) << at;
      EXPECT_EQ(fit.inertia, whole.inertia) << at;
      EXPECT_EQ(fit.n_iter, whole.n_iter) << at;
      EXPECT_EQ(fit.converged, whole.converged) << at;
      EXPECT_EQ(fit.starts_agreed, whole.starts_agreed) << at;
    }
  }
}

// Whatever stands in a checkpoint, it ends in a fit or in one kind of error.
TEST(Lloyd, DamagedCheckpointsAreRefused) {
  const auto source = blobs(100, 2, 3, 1);
  KMeansParams params = params_of(3);
  params.n_init = 3;
  Memory memory;
  std::atomic<bool> stop{false};
  StopAt watch(9, stop);
  Context ctx;
  ctx.checkpoints = &memory;
  ctx.stop = &stop;
  ctx.progress = &watch;
  EXPECT_THROW(kmeans_fit(*source, params, {}, ctx), Error);
  const Bytes good = memory.kept;
  ASSERT_FALSE(good.empty());
  ctx.stop = nullptr;
  ctx.progress = nullptr;
  for (size_t at = 0; at < good.size(); ++at) {
    for (const auto flip : {0x01, 0x40, 0x80, 0xff}) {
      memory.kept = good;
      memory.kept[at] ^= static_cast<std::byte>(flip);
      try {
        const KMeansFit fit = kmeans_fit(*source, params, {}, ctx);
        EXPECT_EQ(fit.cluster_centers.rows, 3);
        EXPECT_LE(fit.n_iter, params.max_iter);
        EXPECT_TRUE(std::isfinite(fit.inertia));
      } catch (const Error& error) {
        EXPECT_EQ(error.code, ErrorCode::kBadModel) << error.what();
      }
    }
  }
}

}  // namespace
}  // namespace sluice
