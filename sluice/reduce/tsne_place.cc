// New rows in a finished map, after openTSNE's transform (Policar, Strazar and Zupan 2023, doi:10.1007/s10994-021-06043-1), but each row alone.
#include <algorithm>
#include <cmath>

#include "sluice/neighbors/knn.h"
#include "sluice/reduce/affinities.h"
#include "sluice/reduce/tsne_forces.h"
#include "sluice/reduce/tsne_parts.h"

namespace sluice {
namespace {

constexpr int64_t kNeighbors = 25;
constexpr double kPerplexity = 5;
constexpr int64_t kSteps = 250;
constexpr double kExaggeration = 1.5, kRate = 0.1, kMomentum = 0.8, kSteepest = 0.25;
constexpr int64_t kBlock = 64;

// The lowest value that half of the weight does not exceed.
double weighted_median(std::vector<std::pair<double, double>>& values) {
  std::sort(values.begin(), values.end());
  double all = 0, so_far = 0;
  for (const auto& value : values) all += value.second;
  for (const auto& [value, weight] : values) {
    so_far += weight;
    if (so_far >= all / 2) return value;
  }
  return values.back().first;
}

class Placer {
 public:
  Placer(const Matrix<double>& map, const Context& ctx)
      : map_(map), points_(map), grid_(detail::by_grid(TsneMethod::kAuto, map.rows, map.cols)) {
    if (grid_) field_.freeze(map, ctx);
  }

  void place(const int64_t* near, const double* distance, int64_t k, double* y) const {
    const int64_t dims = map_.cols;
    if (distance[0] == 0) {
      std::copy_n(map_.row(near[0]), dims, y);
      return;
    }
    std::vector<double> p(static_cast<size_t>(k));
    perplexity_weights(distance, k, std::min(kPerplexity, std::max(1.0, static_cast<double>(k) / 3)), p.data());
    std::vector<std::pair<double, double>> values(static_cast<size_t>(k));
    for (int64_t c = 0; c < dims; ++c) {
      for (int64_t t = 0; t < k; ++t) values[static_cast<size_t>(t)] = {map_(near[t], c), p[static_cast<size_t>(t)]};
      y[c] = weighted_median(values);
    }
    double update[3] = {}, slope[3];
    for (int64_t step = 0; step < kSteps; ++step) {
      gradient(near, p, y, slope);
      double square = 0;
      for (int64_t c = 0; c < dims; ++c) square += slope[c] * slope[c];
      const double gentle = square > kSteepest * kSteepest ? kSteepest / std::sqrt(square) : 1;
      for (int64_t c = 0; c < dims; ++c) {
        update[c] = kMomentum * update[c] - kRate * gentle * slope[c];
        y[c] += update[c];
      }
    }
  }

 private:
  void gradient(const int64_t* near, const std::vector<double>& p, const double* y, double* slope) const {
    const int64_t dims = map_.cols;
    double force[3], sum = 0;
    if (!grid_ || !field_.at(y, sum, force)) sum = points_.sums(y, force);
    for (int64_t c = 0; c < dims; ++c) slope[c] = -force[c] / sum;
    for (size_t t = 0; t < p.size(); ++t) {
      const double* other = map_.row(near[t]);
      double step[3], square = 1;
      for (int64_t c = 0; c < dims; ++c) {
        step[c] = y[c] - other[c];
        square += step[c] * step[c];
      }
      for (int64_t c = 0; c < dims; ++c) slope[c] += kExaggeration * p[t] / square * step[c];
    }
  }

  const Matrix<double>& map_;
  detail::MapPoints points_;
  bool grid_;
  detail::GridRepulsion field_;
};

}  // namespace

Matrix<double> tsne_place(const TsneModel& model, const Source& rows, Context& ctx) {
  MemorySource known(DType::kF64, model.rows.values.data(), model.rows.rows, model.rows.cols, model.rows.cols, nullptr);
  Context alone = ctx;
  alone.comm = nullptr;
  known.stats = measure(known, alone);
  const int64_t k = std::min(kNeighbors, model.rows.rows);
  const Neighbors near = knn_search(known, rows, k, model.metric, ctx);
  Matrix<double> placed(rows.rows(), model.embedding.cols);
  detail::on_every_rank(ctx, [&] {
    const Placer placer(model.embedding, ctx);
    for_row_blocks(rows.rows(), kBlock, ctx, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) placer.place(near.row(i), near.distance(i), k, placed.row(i));
    });
  });
  return placed;
}

}  // namespace sluice
