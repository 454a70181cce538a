#include "sluice/cluster/mini_batch.h"

#include <algorithm>
#include <cmath>

#include "sluice/cluster/kmeans.h"
#include "sluice/core/normalised.h"
#include "sluice/core/random.h"
#include "sluice/kernels/assign.h"
#include "sluice/kernels/dist64.h"

namespace sluice {
namespace {

// The rows of one batch, drawn with replacement, in ascending order so that reading moves forward.
std::vector<int64_t> draw(int64_t n, int64_t size, int64_t start, int64_t batch, const Context& ctx) {
  Random random(ctx.seed, RandomStage::kMiniBatch, (static_cast<uint64_t>(start) << 40) + static_cast<uint64_t>(batch));
  std::vector<int64_t> rows(static_cast<size_t>(size));
  for (int64_t& row : rows) row = static_cast<int64_t>(random.below(static_cast<uint64_t>(n)));
  std::sort(rows.begin(), rows.end());
  return rows;
}

}  // namespace

MiniBatchResult mini_batch(const Source& rows, const KMeansParams& params, const Geometry& geometry, double tolerance, int64_t start,
                           Matrix<double>& centers, Context& ctx) {
  const int64_t n = rows.rows();
  const int64_t d = rows.cols();
  const int64_t size = std::min(params.batch_size.value_or(1024), n);
  const int64_t per_pass = (n + size - 1) / size;
  std::vector<double> weight(static_cast<size_t>(centers.rows));
  std::vector<int32_t> labels(static_cast<size_t>(size));
  kernels::AssignScratch scratch;
  BlockBuffer buffer;
  double smoothed = -1;
  MiniBatchResult result;
  const int64_t batches = per_pass * params.max_iter;
  int64_t batch = 0;
  while (batch < batches && !result.converged) {
    if (ctx.stopped()) fail(ErrorCode::kInterrupted, "run", "stopped on request", "run the same command again to go on");
    const std::vector<int64_t> drawn = draw(n, size, start, batch, ctx);
    Matrix<double> points(size, d);
    std::vector<double> weights(static_cast<size_t>(size), 1.0);
    for (int64_t i = 0; i < size; ++i) {
      const MatrixBlock one = rows.read(drawn[static_cast<size_t>(i)], 1, buffer);
      const double* from = one.row(0, points.row(i));
      if (from != points.row(i)) std::copy(from, from + d, points.row(i));
      weights[static_cast<size_t>(i)] = one.weight(0);
    }
    const Matrix<double> before = centers;
    const kernels::AssignPlan plan(geometry.metric, centers.values.data(), centers.rows, d, geometry.shift.data(), geometry.scale_exponent);
    plan.assign({points.values.data(), true, size, d, d}, labels.data(), nullptr, scratch);
    for (int64_t i = 0; i < size; ++i) {
      const auto c = static_cast<size_t>(labels[static_cast<size_t>(i)]);
      const double w = weights[static_cast<size_t>(i)];
      if (!(w > 0)) continue;
      weight[c] += w;
      const double rate = w / weight[c];
      double* center = centers.row(static_cast<int64_t>(c));
      for (int64_t j = 0; j < d; ++j) center[j] = std::fma(rate, points(i, j) - center[j], center[j]);
    }
    double moved = 0;
    for (int64_t c = 0; c < centers.rows; ++c) {
      if (params.metric == KMeansMetric::kCosine && normalise(centers.row(c), d) == 0)
        std::copy(before.row(c), before.row(c) + d, centers.row(c));
      moved += kernels::squared_distance(before.row(c), centers.row(c), d);
    }
    ++batch;
    const double alpha = std::min(1.0, 2.0 * static_cast<double>(size) / static_cast<double>(n + 1));
    smoothed = smoothed < 0 ? moved : smoothed + alpha * (moved - smoothed);
    result.converged = batch >= per_pass && smoothed <= tolerance;
    ctx.step((batch + per_pass - 1) / per_pass);
  }
  result.n_iter = (batch + per_pass - 1) / per_pass;
  return result;
}

}  // namespace sluice
