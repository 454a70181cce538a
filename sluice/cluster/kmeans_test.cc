#include "sluice/cluster/kmeans.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "sluice/cluster/testing.h"
#include "sluice/comm/thread_ranks.h"
#include "sluice/core/normalised.h"

namespace sluice {
namespace {

using testing::blobs;
using testing::Memory;
using testing::rows_of;
using testing::StopAt;
using testing::table;

Context with(int threads, int64_t leaf_rows = 0) {
  Context ctx;
  ctx.threads = threads;
  ctx.leaf_rows = leaf_rows;
  return ctx;
}

std::vector<int32_t> labels_of(const KMeansFit& fit) {
  return {fit.labels.at(0), fit.labels.at(0) + fit.labels.last_row()};
}

KMeansParams params_of(int64_t k, KMeansMetric metric = KMeansMetric::kEuclidean) {
  KMeansParams params;
  params.n_clusters = k;
  params.metric = metric;
  return params;
}

const std::vector<KMeansMetric> kMetrics = {KMeansMetric::kEuclidean, KMeansMetric::kManhattan, KMeansMetric::kCosine};

TEST(KMeans, EqualsThePlainMethodFromGivenCentres) {
  for (const double offset : {0.0, 1e4}) {
    const auto source = blobs(700, 5, 6, 1.5, 3, offset);
    const Matrix<double> start = rows_of(*source, {0, 1, 2, 3, 4, 5});
    Context ctx = with(2);
    for (const int passes : {1, 4}) {
      KMeansParams params = params_of(6);
      params.max_iter = passes;
      params.tol = 0;
      const KMeansFit fit = kmeans_fit(*source, params, start, ctx);
      const testing::PlainFit plain = testing::plain_kmeans(*source, start, static_cast<int>(fit.n_iter));
      EXPECT_EQ(labels_of(fit), plain.labels);
      EXPECT_NEAR(fit.inertia, plain.inertia, 1e-9 * plain.inertia);
      for (size_t i = 0; i < plain.centers.values.size(); ++i)
        EXPECT_NEAR(fit.cluster_centers.values[i], plain.centers.values[i], 1e-10 * (10 + offset));
    }
  }
}

TEST(KMeans, SameBitsForThreadsRanksAndStorage) {
  const auto source = blobs(3001, 4, 8, 2);
  std::vector<float> narrow;
  std::vector<double> wide;
  for (int64_t i = 0; i < source->rows(); ++i) {
    for (const double x : read_row(*source, i)) {
      narrow.push_back(static_cast<float>(x));
      wide.push_back(static_cast<float>(x));
    }
  }
  const auto f64 = table(wide, 3001, 4);
  MemorySource f32(DType::kF32, narrow.data(), 3001, 4, 4, nullptr);
  f32.stats = f64->stats;
  for (const KMeansMetric metric : kMetrics) {
    KMeansParams params = params_of(8, metric);
    params.n_init = 2;
    Context one = with(1, 256);
    const KMeansFit first = kmeans_fit(*f64, params, {}, one);
    const auto same = [&](const KMeansFit& fit) {
      EXPECT_EQ(fit.cluster_centers, first.cluster_centers);
      EXPECT_EQ(fit.inertia, first.inertia);
      EXPECT_EQ(fit.n_iter, first.n_iter);
      EXPECT_EQ(fit.cluster_sizes, first.cluster_sizes);
    };
    for (const int threads : {2, 3, 8}) {
      Context ctx = with(threads, 256);
      const KMeansFit fit = kmeans_fit(f32, params, {}, ctx);
      same(fit);
      EXPECT_EQ(labels_of(fit), labels_of(first));
    }
    for (const int ranks : {2, 3}) {
      run_as_ranks(ranks, [&](Communicator& comm) {
        Context ctx = with(2, 256);
        ctx.comm = &comm;
        const KMeansFit fit = kmeans_fit(*f64, params, {}, ctx);
        same(fit);
        EXPECT_EQ(gather(fit.labels, ctx), labels_of(first));
      });
    }
  }
}

// Small data is fitted by every rank for itself and only the labels are shared; with leaves of its own (above) the work is shared.
TEST(KMeans, RanksThatWorkAloneGiveTheSameBits) {
  const auto source = blobs(9001, 3, 6, 2);
  for (const KMeansMetric metric : kMetrics) {
    KMeansParams params = params_of(6, metric);
    params.n_init = 2;
    Context one = with(2);
    const KMeansFit first = kmeans_fit(*source, params, {}, one);
    run_as_ranks(3, [&](Communicator& comm) {
      Context ctx = with(1);
      ctx.comm = &comm;
      const KMeansFit fit = kmeans_fit(*source, params, {}, ctx);
      EXPECT_EQ(fit.cluster_centers, first.cluster_centers);
      EXPECT_EQ(fit.inertia, first.inertia);
      EXPECT_EQ(fit.cluster_sizes, first.cluster_sizes);
      EXPECT_EQ(gather(fit.labels, ctx), labels_of(first));
    });
  }
}

// One rank is asked to stop, early or late: all end alike, none waits for another.
TEST(KMeans, AStopOnOneRankEndsAll) {
  const auto source = blobs(9001, 3, 6, 2);
  for (const std::string init : {"k-means++", "k-means-parallel", "mini batch"}) {
    const bool mini_batch = init == "mini batch";
    for (const int64_t leaf_rows : {0, 512}) {
      for (const int64_t at : {2, 8, 14, 17}) {
        run_as_ranks(3, [&](Communicator& comm) {
          KMeansParams params = params_of(6);
          params.n_init = 2;
          params.mini_batch = mini_batch;
          if (!mini_batch) params.init = init;
          std::atomic<bool> stop{false};
          StopAt watch(at, stop);
          Context ctx = with(1, leaf_rows);
          ctx.comm = &comm;
          ctx.stop = &stop;
          if (comm.rank() == 1) ctx.progress = &watch;
          try {
            kmeans_fit(*source, params, {}, ctx);
            ADD_FAILURE() << "nobody stopped";
          } catch (const Error& error) {
            EXPECT_EQ(error.code, ErrorCode::kInterrupted);
          }
        });
      }
    }
  }
}

TEST(KMeans, OtherLeavesChangeRoundingOnly) {
  const auto source = blobs(1000, 3, 5, 1);
  const Matrix<double> start = rows_of(*source, {0, 1, 2, 3, 4});
  Context plain = with(2);
  const KMeansFit whole = kmeans_fit(*source, params_of(5), start, plain);
  for (const int64_t leaf : {1, 7, 8193}) {
    Context ctx = with(2, leaf);
    const KMeansFit fit = kmeans_fit(*source, params_of(5), start, ctx);
    EXPECT_EQ(labels_of(fit), labels_of(whole));
    EXPECT_NEAR(fit.inertia, whole.inertia, 1e-12 * whole.inertia);
  }
}

TEST(KMeans, PermutedRowsGiveTheSameClusters) {
  const auto source = blobs(500, 3, 4, 1);
  std::vector<int64_t> order(500);
  std::iota(order.begin(), order.end(), 0);
  std::reverse(order.begin(), order.end());
  std::swap(order[3], order[400]);
  const Matrix<double> permuted_rows = rows_of(*source, order);
  const auto permuted = table(permuted_rows.values, 500, 3);
  const Matrix<double> start = rows_of(*source, {10, 20, 30, 40});
  for (const KMeansMetric metric : kMetrics) {
    Context ctx = with(2);
    const KMeansFit a = kmeans_fit(*source, params_of(4, metric), start, ctx);
    const KMeansFit b = kmeans_fit(*permuted, params_of(4, metric), start, ctx);
    EXPECT_EQ(a.cluster_centers, b.cluster_centers) << "exact sums do not know the order";
    for (int64_t i = 0; i < 500; ++i) EXPECT_EQ(b.labels[i], a.labels[order[static_cast<size_t>(i)]]);
  }
}

TEST(KMeans, AWeightIsSoManyCopies) {
  const auto source = blobs(300, 3, 4, 1.5);
  Random random(5, RandomStage::kSubsample, 1);
  std::vector<double> weights, copied;
  for (int64_t i = 0; i < 300; ++i) {
    const auto w = static_cast<int64_t>(random.below(4));
    weights.push_back(static_cast<double>(w));
    for (int64_t c = 0; c < w; ++c) {
      for (const double x : read_row(*source, i)) copied.push_back(x);
    }
  }
  const auto copies = table(copied, static_cast<int64_t>(copied.size()) / 3, 3);
  const Matrix<double> start = rows_of(*source, {0, 50, 100, 150});
  source->set_weights(weights);
  for (const KMeansMetric metric : kMetrics) {
    Context ctx = with(2);
    const KMeansFit a = kmeans_fit(*source, params_of(4, metric), start, ctx);
    const KMeansFit b = kmeans_fit(*copies, params_of(4, metric), start, ctx);
    EXPECT_NEAR(a.inertia, b.inertia, 1e-9 * b.inertia);
    for (size_t i = 0; i < a.cluster_centers.values.size(); ++i)
      EXPECT_NEAR(a.cluster_centers.values[i], b.cluster_centers.values[i], 1e-9);
  }
}

// The objective must not rise from pass to pass, whatever the metric.
TEST(KMeans, TheObjectiveNeverRises) {
  const auto source = blobs(800, 4, 9, 4);
  const Matrix<double> start = rows_of(*source, {0, 1, 2, 3, 4, 5, 6, 7, 8});
  for (const KMeansMetric metric : kMetrics) {
    double before = std::numeric_limits<double>::infinity();
    for (int64_t passes = 1; passes <= 12; ++passes) {
      KMeansParams params = params_of(9, metric);
      params.max_iter = passes;
      params.tol = 0;
      Context ctx = with(2);
      const double now = kmeans_fit(*source, params, start, ctx).inertia;
      EXPECT_LE(now, before * (1 + 1e-12)) << passes;
      before = now;
    }
  }
}

TEST(KMeans, ManhattanCentresAreLowerMedians) {
  const auto source = blobs(401, 3, 3, 2);
  Context ctx = with(2);
  KMeansParams params = params_of(3, KMeansMetric::kManhattan);
  params.tol = 0;
  const KMeansFit fit = kmeans_fit(*source, params, rows_of(*source, {0, 1, 2}), ctx);
  ASSERT_TRUE(fit.converged);
  for (int64_t c = 0; c < 3; ++c) {
    for (int64_t j = 0; j < 3; ++j) {
      std::vector<double> values;
      for (int64_t i = 0; i < 401; ++i) {
        if (fit.labels[i] == c) values.push_back(read_row(*source, i)[static_cast<size_t>(j)]);
      }
      std::sort(values.begin(), values.end());
      EXPECT_EQ(fit.cluster_centers(c, j), values[(values.size() - 1) / 2]);
    }
  }
}

TEST(KMeans, CosineTakesZeroRowsToTheFirstCluster) {
  const auto source = table({0, 0, 1, 0, 2, 0.1, 0, 3, 0.1, 5, 0, 0}, 6, 2);
  Context ctx = with(1);
  KMeansParams params = params_of(2, KMeansMetric::kCosine);
  const KMeansFit fit = kmeans_fit(*source, params, rows_of(*source, {1, 3}), ctx);
  EXPECT_EQ(labels_of(fit), (std::vector<int32_t>{0, 0, 0, 1, 1, 0}));
  for (int64_t c = 0; c < 2; ++c) EXPECT_NEAR(std::hypot(fit.cluster_centers(c, 0), fit.cluster_centers(c, 1)), 1, 1e-15);
  EXPECT_GT(fit.inertia, 2) << "each zero row has distance 1";
}

TEST(KMeans, OddShapesEndWell) {
  struct Case {
    std::vector<double> values;
    int64_t n, d, k;
    double inertia;
  };
  const std::vector<Case> cases = {
      {{3, 4}, 1, 2, 1, 0},                            // one row
      {{1, 2, 3, 4}, 4, 1, 4, 0},                      // k = n
      {{5, 5, 5, 5, 5, 5}, 6, 1, 3, 0},                // all equal, k above the distinct rows
      {{1, 1, 2, 2, 2}, 5, 1, 4, 0},                   // two distinct, four asked for
      {{1, 3, 5, 7}, 4, 1, 1, 20},                     // k = 1
      {{1e-300, 2e-300, 1e-300, 2e-300}, 4, 1, 2, 0},  // squares underflow
      {{1e150, -1e150, 1e150, -1e150}, 4, 1, 2, 0},    // huge
  };
  for (const Case& one : cases) {
    const auto source = table(one.values, one.n, one.d);
    const double largest = *std::max_element(one.values.begin(), one.values.end());
    for (const char* init : {"k-means++", "random", "k-means-parallel"}) {
      for (const KMeansMetric metric : {KMeansMetric::kEuclidean, KMeansMetric::kManhattan}) {
        KMeansParams params = params_of(one.k, metric);
        params.init = init;
        Context ctx = with(2);
        const KMeansFit fit = kmeans_fit(*source, params, {}, ctx);
        if (metric == KMeansMetric::kEuclidean && std::string(init) != "random") {
          // The means carry the sums' quantum, 2^-40 of the data at most.
          EXPECT_NEAR(fit.inertia, one.inertia, 1e-22 * largest * largest) << one.k;
        }
        EXPECT_EQ(std::accumulate(fit.cluster_sizes.begin(), fit.cluster_sizes.end(), int64_t{0}), one.n);
        EXPECT_TRUE(fit.converged);
        const KMeansAssignment again = kmeans_assign(fit.cluster_centers, metric, *source, ctx);
        EXPECT_EQ(fit.inertia, again.inertia);
        for (int64_t i = 0; i < one.n; ++i) EXPECT_EQ(fit.labels[i], again.labels[i]);
      }
    }
  }
}

// Two centres far away from all rows are empty at once; each takes one of the farthest rows.
TEST(KMeans, EmptyClustersTakeTheFarthestRows) {
  const auto source = table({0, 0.1, 0.2, 10, 20, 30.5}, 6, 1);
  Matrix<double> start(3, 1);
  start.values = {0.1, 500, 600};
  KMeansParams params = params_of(3);
  Context ctx = with(2);
  const KMeansFit fit = kmeans_fit(*source, params, start, ctx);
  EXPECT_EQ(std::count(fit.cluster_sizes.begin(), fit.cluster_sizes.end(), 0), 0);
  const std::set<int32_t> used(fit.labels.at(0), fit.labels.at(0) + 6);
  EXPECT_EQ(used.size(), 3U);
}

TEST(KMeans, RefusesWhatItCantDo) {
  Context ctx = with(1);
  const auto source = blobs(5, 2, 2, 1);
  const auto code = [&](const Source& rows, const KMeansParams& params, const Matrix<double>& given = {}) {
    try {
      kmeans_fit(rows, params, given, ctx);
    } catch (const Error& error) {
      return error.code;
    }
    return ErrorCode::kBug;
  };
  EXPECT_EQ(code(*source, params_of(6)), ErrorCode::kBadInput);
  EXPECT_EQ(code(*table({1, std::nan(""), 2, 3}, 2, 2), params_of(1)), ErrorCode::kBadInput);
  EXPECT_EQ(code(*table({1, INFINITY}, 2, 1), params_of(1)), ErrorCode::kBadInput);
  EXPECT_EQ(code(*table({1e200, 0}, 2, 1), params_of(1)), ErrorCode::kNumerical);
  EXPECT_EQ(code(*source, params_of(2), Matrix<double>(3, 2, 0.0)), ErrorCode::kBadInput);
  EXPECT_EQ(code(*source, params_of(2), Matrix<double>(2, 2, std::nan(""))), ErrorCode::kBadInput);
}

TEST(KMeans, GoesOnFromACheckpointToTheSameBits) {
  const auto source = blobs(900, 4, 12, 3);
  for (const KMeansMetric metric : kMetrics) {
    KMeansParams params = params_of(12, metric);
    params.n_init = 3;
    params.tol = 0;
    Context plain = with(2);
    const KMeansFit whole = kmeans_fit(*source, params, {}, plain);
    for (const int64_t at : {1, 14, 20, 33}) {
      Memory memory;
      std::atomic<bool> stop{false};
      StopAt watch(at, stop);
      Context ctx = with(2);
      ctx.checkpoints = &memory;
      ctx.stop = &stop;
      ctx.progress = &watch;
      try {
        kmeans_fit(*source, params, {}, ctx);
      } catch (const Error& error) {
        ASSERT_EQ(error.code, ErrorCode::kInterrupted);
        EXPECT_FALSE(memory.kept.empty());
      }
      Context again = with(3);
      again.checkpoints = &memory;
      const KMeansFit fit = kmeans_fit(*source, params, {}, again);
      EXPECT_EQ(fit.cluster_centers, whole.cluster_centers);
      EXPECT_EQ(fit.n_iter, whole.n_iter);
      EXPECT_EQ(fit.starts_agreed, whole.starts_agreed);
      EXPECT_EQ(labels_of(fit), labels_of(whole));
      memory.kept.resize(memory.kept.size() / 2);
      EXPECT_THROW(kmeans_fit(*source, params, {}, again), Error);
    }
  }
}

TEST(KMeans, MiniBatchComesNear) {
  const auto source = blobs(4000, 3, 6, 0.7);
  Context ctx = with(2);
  const KMeansFit full = kmeans_fit(*source, params_of(6), {}, ctx);
  KMeansParams params = params_of(6);
  params.mini_batch = true;
  const KMeansFit batch = kmeans_fit(*source, params, {}, ctx);
  EXPECT_LT(batch.inertia, 1.05 * full.inertia);
  EXPECT_EQ(kmeans_fit(*source, params, {}, ctx).cluster_centers, batch.cluster_centers);
  params.metric = KMeansMetric::kManhattan;
  EXPECT_THROW(kmeans_fit(*source, params, {}, ctx), Error);
}

TEST(KMeans, ModelsApplyAndDamagedOnesAreRefused) {
  const auto source = blobs(200, 3, 4, 1);
  for (const KMeansMetric metric : kMetrics) {
    Context ctx = with(2);
    const Outcome fitted = kmeans_run(*source, params_of(4, metric), ctx);
    const ModelFile model = decode_model(encode_model(fitted.model), "model");
    const Outcome applied = kmeans_apply(model, *source, ctx);
    for (int64_t i = 0; i < 200; ++i) EXPECT_EQ((*applied.labels)[i], (*fitted.labels)[i]);
    const auto refused = [&](const std::function<void(ModelFile&)>& damage) {
      ModelFile bad = model;
      damage(bad);
      try {
        kmeans_apply(bad, *source, ctx);
      } catch (const Error& error) {
        return error.code;
      }
      return ErrorCode::kBug;
    };
    EXPECT_EQ(refused([](ModelFile& m) { m.tensors.clear(); }), ErrorCode::kBadModel);
    EXPECT_EQ(refused([](ModelFile& m) { m.about["metric"] = "hamming"; }), ErrorCode::kBadModel);
    EXPECT_EQ(refused([](ModelFile& m) { m.about.erase("metric"); }), ErrorCode::kBadModel);
    EXPECT_EQ(refused([](ModelFile& m) { m.put("cluster_centers", Matrix<double>(0, 3)); }), ErrorCode::kBadModel);
    EXPECT_EQ(refused([](ModelFile& m) { m.put("cluster_centers", Matrix<double>(2, 3, std::nan(""))); }), ErrorCode::kBadModel);
    EXPECT_EQ(refused([](ModelFile& m) { m.put("cluster_centers", Matrix<double>(2, 5, 1.0)); }), ErrorCode::kBadInput);
  }
}

}  // namespace
}  // namespace sluice
