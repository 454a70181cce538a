#include "sluice/reduce/tsne.h"

#include <algorithm>
#include <cmath>

#include "sluice/core/math.h"
#include "sluice/core/memory.h"
#include "sluice/core/random.h"
#include "sluice/reduce/affinities.h"
#include "sluice/reduce/pca.h"
#include "sluice/reduce/tsne_forces.h"
#include "sluice/reduce/tsne_parts.h"

namespace sluice {
namespace {

constexpr double kStartSpread = 1e-4;  // standard deviation of the first column at the start
constexpr double kMomentum = 0.8, kGainUp = 0.2, kGainDown = 0.8, kLeastGain = 0.01, kLongestStep = 5;
constexpr int64_t kCurveSteps = 50;
constexpr int64_t kExactKlRows = 200'000;
constexpr int64_t kBlock = 512;

void center(Matrix<double>& map) {
  for (int64_t c = 0; c < map.cols; ++c) {
    double sum = 0;
    for (int64_t i = 0; i < map.rows; ++i) sum += map(i, c);
    const double mean = sum / static_cast<double>(map.rows);
    for (int64_t i = 0; i < map.rows; ++i) map(i, c) -= mean;
  }
}

// The first principal components, or as many as there are; the rest stays 0.
Matrix<double> principal_start(const Source& rows, int64_t dims, Context& ctx) {
  Matrix<double> map(rows.rows(), dims);
  PcaParams pca;
  const int64_t q = std::min({dims, rows.rows(), rows.cols()});
  pca.n_components = to_text(q);
  const PcaModel model = pca_fit(rows, pca, ctx).model;
  std::vector<std::vector<double>> parts(static_cast<size_t>(worker_count(ctx)));
  Context alone = ctx;
  alone.comm = nullptr;
  detail::on_every_rank(ctx, [&] {
    sluice::map(rows, alone, [&](int worker, const MatrixBlock& leaf) {
      std::vector<double>& to = parts[static_cast<size_t>(worker)];
      to.resize(static_cast<size_t>(leaf.rows * q));
      pca_transform(model, leaf, to.data());
      for (int64_t i = 0; i < leaf.rows; ++i) std::copy_n(to.data() + i * q, q, map.row(leaf.first_row + i));
    });
  });
  return map;
}

Matrix<double> start(const Source& rows, const TsneParams& params, Context& ctx) {
  const bool pca = params.init == TsneInit::kPca;
  Matrix<double> map = pca ? principal_start(rows, params.n_components, ctx) : Matrix<double>(rows.rows(), params.n_components);
  if (pca) {
    center(map);
    double square = 0;
    for (int64_t i = 0; i < map.rows; ++i) square += map(i, 0) * map(i, 0);
    const double deviation = std::sqrt(square / static_cast<double>(map.rows));
    for (double& x : map.values) x = deviation > 0 ? x / deviation * kStartSpread : 0;
  }
  // A hundredth of it by chance parts rows that start at one place.
  const double spread = pca ? 0.01 * kStartSpread : kStartSpread;
  for (int64_t i = 0; i < map.rows; ++i) {
    Random random(ctx.seed, RandomStage::kTsneStart, static_cast<uint64_t>(i));
    for (int64_t c = 0; c < map.cols; ++c) map(i, c) += spread * random.normal();
  }
  return map;
}

class Descent {
 public:
  Descent(const Affinities& p, Matrix<double> map, bool grid, const Context& ctx)
      : p_(p),
        map_(std::move(map)),
        force_(map_.rows, map_.cols),
        update_(map_.rows, map_.cols),
        gains_(map_.rows, map_.cols, 1),
        grid_(grid),
        ctx_(ctx) {
    for (const double value : p_.values) entropy_ += value > 0 ? value * log64(value) : 0;
  }

  const Matrix<double>& map() const { return map_; }

  void step(double exaggeration, double rate) {
    repel();
    for_row_blocks(map_.rows, kBlock, ctx_, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) map_.cols == 2 ? gather<2>(i, exaggeration) : gather<3>(i, exaggeration);
    });
    for_row_blocks(map_.rows, kBlock, ctx_, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) move(i, rate);
    });
    center(map_);
  }

  // sum p log(p / q), q = K / (sum of K over all pairs).
  double divergence(bool exact_sum) {
    if (exact_sum) {
      near_ = detail::exact_repulsion(map_, force_, ctx_);
    } else {
      repel();
    }
    const double log_near = log64(near_);
    std::vector<double> part(static_cast<size_t>(map_.rows));
    for_row_blocks(map_.rows, kBlock, ctx_, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) {
        double sum = 0;
        for (auto e = static_cast<size_t>(p_.starts[static_cast<size_t>(i)]);
             e < static_cast<size_t>(p_.starts[static_cast<size_t>(i) + 1]); ++e) {
          double square = 0;
          for (int64_t c = 0; c < map_.cols; ++c) {
            const double t = map_(i, c) - map_(p_.columns[e], c);
            square += t * t;
          }
          sum += p_.values[e] * (log64(1 + square) + log_near);
        }
        part[static_cast<size_t>(i)] = sum;
      }
    });
    double sum = entropy_;
    for (const double value : part) sum += value;
    return sum;
  }

 private:
  void repel() { near_ = grid_ ? field_.of_map(map_, force_, ctx_) : detail::exact_repulsion(map_, force_, ctx_); }

  // force_ becomes the gradient (a quarter of the divergence's).
  template <int kDims>
  void gather(int64_t i, double exaggeration) {
    const double* y = map_.row(i);
    double pull[kDims] = {};
    const auto end = static_cast<size_t>(p_.starts[static_cast<size_t>(i) + 1]);
    for (auto e = static_cast<size_t>(p_.starts[static_cast<size_t>(i)]); e < end; ++e) {
      const double* other = map_.row(p_.columns[e]);
      double step[kDims], square = 1;
      for (int c = 0; c < kDims; ++c) {
        step[c] = y[c] - other[c];
        square += step[c] * step[c];
      }
      const double weight = p_.values[e] / square;
      for (int c = 0; c < kDims; ++c) pull[c] += weight * step[c];
    }
    double* force = force_.row(i);
    for (int c = 0; c < kDims; ++c) force[c] = exaggeration * pull[c] - force[c] / near_;
  }

  void move(int64_t i, double rate) {
    double length = 0;
    for (int64_t c = 0; c < map_.cols; ++c) {
      double& update = update_(i, c);
      double& gain = gains_(i, c);
      const double slope = force_(i, c);
      const auto sign = [](double x) { return x > 0 ? 1 : x < 0 ? -1 : 0; };
      gain = sign(update) != sign(slope) ? gain + kGainUp : gain * kGainDown + kLeastGain;
      update = kMomentum * update - rate * gain * slope;
      length += update * update;
    }
    const double shorten = length > kLongestStep * kLongestStep ? kLongestStep / std::sqrt(length) : 1;
    for (int64_t c = 0; c < map_.cols; ++c) {
      update_(i, c) *= shorten;
      map_(i, c) += update_(i, c);
    }
  }

  const Affinities& p_;
  Matrix<double> map_, force_, update_, gains_;
  bool grid_;
  const Context& ctx_;
  detail::GridRepulsion field_;
  double near_ = 0;
  double entropy_ = 0;
};

void check(const Source& rows, const TsneParams& params, int64_t k, const Context& ctx) {
  if (params.method == TsneMethod::kFft && params.n_components != 2)
    fail(ErrorCode::kUsage, "--method", "fft sums in 2 columns only", "leave it out, use exact, or make a map of 2 columns");
  // Neighbours, both directions of the affinities and what they are made of; points; the model; the grid, whose side grows with the map.
  const auto n = static_cast<double>(rows.rows());
  const double side = std::max(512.0, 5 * std::sqrt(n));
  const double bytes = 8e6 + 60 * n * static_cast<double>(k) + 300 * n + 24 * n * static_cast<double>(rows.cols()) +
                       (detail::by_grid(params.method, rows.rows(), params.n_components) ? 72 * side * side : 0);
  require_left("tsne", "a map of " + to_text(rows.rows()) + " rows with " + to_text(k) + " neighbours each", bytes, rows, ctx,
               "give a smaller --perplexity or a larger --memory");
}

}  // namespace

namespace detail {

bool by_grid(TsneMethod method, int64_t rows, int64_t dims) {
  return method == TsneMethod::kFft || (method == TsneMethod::kAuto && dims == 2 && rows > kExactRows);
}

}  // namespace detail

TsneFit tsne_fit(const Source& rows, const TsneParams& params, Context& ctx) {
  require_clean(rows);
  const int64_t n = rows.rows();
  if (n < 4) fail(ErrorCode::kBadInput, "rows", to_text(n) + " rows make no map", "give at least 4");
  if (rows.cols() < 1)
    fail(ErrorCode::kBadInput, "columns", "there is no numeric column to measure distances by", "name some with --columns");
  TsneFit fit;
  fit.perplexity = std::min(params.perplexity, static_cast<double>(n - 1) / 3);
  const int64_t k = std::min<int64_t>(n - 1, std::max<int64_t>(1, static_cast<int64_t>(3 * fit.perplexity)));
  check(rows, params, k, ctx);
  fit.grid = detail::by_grid(params.method, n, params.n_components);
  fit.kl_exact = !fit.grid || n <= kExactKlRows;
  const Neighbors graph = knn_graph(rows, k, params.metric, ctx);
  Matrix<double> map = start(rows, params, ctx);
  ctx.stage("map", params.max_iter);
  detail::on_every_rank(ctx, [&] {
    const Affinities p = joint_affinities(graph, fit.perplexity, ctx);
    Descent descent(p, std::move(map), fit.grid, ctx);
    for (; fit.n_iter < params.max_iter; ++fit.n_iter) {
      const double exaggeration = fit.n_iter < params.early_exaggeration_iter ? params.early_exaggeration : 1;
      descent.step(exaggeration, params.learning_rate.value_or(static_cast<double>(n) / exaggeration));
      if ((fit.n_iter + 1) % kCurveSteps != 0) continue;
      fit.iteration.push_back(static_cast<double>(fit.n_iter + 1));
      fit.divergence.push_back(descent.divergence(false));
      if (ctx.rank() == 0) ctx.step(fit.n_iter + 1, "KL " + to_text(fit.divergence.back()));
    }
    fit.kl_divergence = descent.divergence(fit.kl_exact);
    fit.embedding = descent.map();
  });
  for (const double x : fit.embedding.values) {
    if (!std::isfinite(x))
      fail(ErrorCode::kNumerical, "tsne", "the map left the range of numbers", "give a smaller --learning-rate or leave it out");
  }
  return fit;
}

}  // namespace sluice
