#include "sluice/cluster/mini_batch.h"

#include <gtest/gtest.h>

#include <cmath>

#include "sluice/cluster/kmeans.h"
#include "sluice/cluster/testing.h"
#include "sluice/comm/thread_ranks.h"

namespace sluice {
namespace {

using testing::blobs;

KMeansParams params_of(int64_t k, KMeansMetric metric, int64_t batch_size) {
  KMeansParams params;
  params.n_clusters = k;
  params.metric = metric;
  params.mini_batch = true;
  params.batch_size = batch_size;
  return params;
}

TEST(MiniBatch, ComesNearToWholePasses) {
  const auto source = blobs(5000, 3, 6, 0.7, 2);
  for (const KMeansMetric metric : {KMeansMetric::kEuclidean, KMeansMetric::kCosine}) {
    Context ctx;
    ctx.threads = 2;
    KMeansParams whole = params_of(6, metric, 1024);
    whole.mini_batch = false;
    whole.batch_size.reset();
    const double best = kmeans_fit(*source, whole, {}, ctx).inertia;
    for (const int64_t size : {100, 1024, 1'000'000}) {
      const KMeansFit fit = kmeans_fit(*source, params_of(6, metric, size), {}, ctx);
      EXPECT_GE(fit.inertia, best * (1 - 1e-3)) << size;
      EXPECT_LE(fit.inertia, best * 1.05) << size;
      EXPECT_GE(fit.n_iter, 1);
      const KMeansAssignment again = kmeans_assign(fit.cluster_centers, metric, *source, ctx);
      EXPECT_EQ(fit.inertia, again.inertia);
      EXPECT_EQ(fit.cluster_sizes, again.cluster_sizes);
      for (int64_t c = 0; c < 6 && metric == KMeansMetric::kCosine; ++c) {
        const double* center = fit.cluster_centers.row(c);
        EXPECT_NEAR(std::sqrt(center[0] * center[0] + center[1] * center[1] + center[2] * center[2]), 1, 1e-14);
      }
    }
  }
}

TEST(MiniBatch, SameBitsForThreadsAndRanksAndOtherSeedsDiffer) {
  const auto source = blobs(3000, 3, 6, 2);
  KMeansParams params = params_of(6, KMeansMetric::kEuclidean, 200);
  params.n_init = 2;
  Context one;
  one.leaf_rows = 256;
  const KMeansFit first = kmeans_fit(*source, params, {}, one);
  Context other = one;
  other.seed = 1;
  EXPECT_NE(kmeans_fit(*source, params, {}, other).cluster_centers, first.cluster_centers);
  for (const int threads : {2, 3, 8}) {
    Context ctx = one;
    ctx.threads = threads;
    EXPECT_EQ(kmeans_fit(*source, params, {}, ctx).cluster_centers, first.cluster_centers);
  }
  run_as_ranks(3, [&](Communicator& comm) {
    Context ctx = one;
    ctx.comm = &comm;
    const KMeansFit fit = kmeans_fit(*source, params, {}, ctx);
    EXPECT_EQ(fit.cluster_centers, first.cluster_centers);
    EXPECT_EQ(fit.inertia, first.inertia);
  });
}

// Each centre is the running weighted mean of what it was given: one batch of all draws from one cluster lies within their range.
TEST(MiniBatch, HeavyRowsPullTheCentre) {
  auto source = testing::table({0, 1}, 2, 1);
  source->set_weights({1, 99});
  Context ctx;
  KMeansParams params = params_of(1, KMeansMetric::kEuclidean, 2);
  params.max_iter = 300;
  const KMeansFit fit = kmeans_fit(*source, params, {}, ctx);
  EXPECT_GT(fit.cluster_centers(0, 0), 0.9);
  EXPECT_LT(fit.cluster_centers(0, 0), 1);
}

}  // namespace
}  // namespace sluice
