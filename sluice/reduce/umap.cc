#include "sluice/reduce/umap.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "sluice/core/error.h"
#include "sluice/core/memory.h"
#include "sluice/core/statistics.h"
#include "sluice/neighbors/knn.h"
#include "sluice/reduce/umap_curve.h"
#include "sluice/reduce/umap_graph.h"
#include "sluice/reduce/umap_move.h"
#include "sluice/reduce/umap_parts.h"
#include "sluice/reduce/umap_start.h"

namespace sluice {
namespace {

constexpr int64_t kManyRows = 10'000;  // above, auto takes fewer epochs
constexpr int64_t kPiece = 64;         // rows a task of moving takes

void check(const Source& rows, const UmapParams& params) {
  require_clean(rows);
  if (rows.rows() < 1 || rows.cols() < 1) fail(ErrorCode::kBadInput, "rows", "there are none to map", "give at least one");
  if (rows.rows() > std::numeric_limits<int32_t>::max())
    fail(ErrorCode::kBadInput, "rows", "there are more than 2^31 - 1", "map a sample and apply the model to the rest");
  if (rows.max_weight() > 0) fail(ErrorCode::kBadInput, "rows", "umap has no use for weights", "leave them out");
  if (params.min_dist > params.spread) fail(ErrorCode::kUsage, "--min-dist", "it is above --spread", "give at most spread");
}

void check_memory(const Source& rows, int64_t neighbors, int64_t dims, const Context& ctx) {
  const auto n = static_cast<double>(rows.rows());
  const double bytes =
      n * (24 * static_cast<double>(rows.cols()) + 100 * static_cast<double>(neighbors) + 40 * static_cast<double>(dims) + 400);
  require_left("umap", "a map of " + to_text(rows.rows()) + " rows with " + to_text(neighbors) + " neighbours each", bytes, rows, ctx,
               "give a larger --memory, or map a sample of the rows and apply the model to the rest");
}

Matrix<double> start_of(const detail::UmapGraph& graph, const Source& rows, const Matrix<double>& all, const UmapParams& params,
                        UmapFit& fit, Context& ctx) {
  fit.started = params.init;
  detail::parts_of(graph, fit.n_parts);
  if (fit.started == UmapInit::kSpectral && fit.n_parts > 1) fit.started = UmapInit::kPca;
  if (fit.started == UmapInit::kSpectral && graph.rows() <= params.n_components + 1) fit.started = UmapInit::kRandom;
  Matrix<double> start;
  if (fit.started == UmapInit::kRandom) {
    start = detail::umap_random(graph.rows(), params.n_components, ctx);
  } else {
    start = fit.started == UmapInit::kSpectral ? detail::umap_spectral(graph, params.n_components, ctx)
                                               : detail::umap_pca(rows, all, params.n_components, ctx);
    detail::umap_spread(start, ctx);
  }
  detail::umap_to_box(start);
  return start;
}

// The rows of one slice of one epoch and all that moves them.
class Epochs {
 public:
  Epochs(const detail::UmapGraph& graph, const UmapModel& model, Context& ctx)
      : graph_(graph),
        model_(model),
        ctx_(ctx),
        forces_{model.a, model.b, model.repulsion_strength},
        schedule_(graph.weights, graph.weights.empty() ? 1 : *std::max_element(graph.weights.begin(), graph.weights.end())) {}

  void run(Matrix<double>& map) {
    const int64_t n = graph_.rows();
    Matrix<double> moved(n, map.cols);
    ctx_.stage("epochs", model_.n_epochs);
    for (int64_t epoch = 0; epoch < model_.n_epochs; ++epoch) {
      const double rate = model_.learning_rate * (1 - static_cast<double>(epoch) / static_cast<double>(model_.n_epochs));
      for (int64_t slice = 0; slice < std::min(n, kUmapSlices); ++slice) {
        // The slice's rows are slice, slice + kUmapSlices, ...: neighbours in the input, which are often alike, move one after the other.
        const int64_t count = (n - slice + kUmapSlices - 1) / kUmapSlices;
        detail::for_pieces(count, kPiece, ctx_,
                           [&](int64_t first, int64_t last) { move_rows(slice, first, last, epoch, rate, map, moved); });
        for (int64_t i = slice; i < n; i += kUmapSlices) std::copy_n(moved.row(i), map.cols, map.row(i));
      }
      ctx_.step(epoch + 1);
    }
  }

 private:
  void move_rows(int64_t slice, int64_t first, int64_t last, int64_t epoch, double rate, const Matrix<double>& map, Matrix<double>& moved) {
    thread_local detail::UmapMoves moves;
    moves.clear();
    for (int64_t r = first; r < last; ++r) {
      const int64_t i = slice + r * kUmapSlices;
      moves.points.insert(moves.points.end(), map.row(i), map.row(i) + map.cols);
      add_steps(i, epoch, moves);
      moves.ends.push_back(static_cast<int64_t>(moves.steps.size()));
    }
    detail::umap_move(forces_, map, rate, moves);
    for (int64_t r = first; r < last; ++r)
      std::copy_n(moves.points.data() + (r - first) * map.cols, map.cols, moved.row(slice + r * kUmapSlices));
  }

  // An edge acts for both its ends at once: each is attracted as its head and as its tail, and repelled as a head.
  void add_steps(int64_t i, int64_t epoch, detail::UmapMoves& moves) {
    const auto n = static_cast<uint64_t>(graph_.rows());
    detail::UmapDraws draws(ctx_.seed, static_cast<uint64_t>(epoch) * n + static_cast<uint64_t>(i));
    for (int64_t e = graph_.starts[static_cast<size_t>(i)]; e < graph_.starts[static_cast<size_t>(i) + 1]; ++e) {
      if (!schedule_.acts(static_cast<size_t>(e), epoch)) continue;
      for (int64_t s = 0; s < model_.negative_sample_rate; ++s) {
        const int32_t random = draws.below(n);
        if (random != i) moves.steps.push_back({random, false});
      }
      // Last, so that what attracts has the last word: neighbours are kept a little better so than the other way round.
      const int32_t other = graph_.others[static_cast<size_t>(e)];
      moves.steps.push_back({other, true});
      moves.steps.push_back({other, true});
    }
  }

  const detail::UmapGraph& graph_;
  const UmapModel& model_;
  Context& ctx_;
  detail::UmapForces forces_;
  detail::UmapSchedule schedule_;
};

UmapModel described(const UmapParams& params, int64_t n, const Context& ctx) {
  const detail::UmapCurve curve = detail::umap_curve(params.min_dist, params.spread);
  UmapModel model;
  model.metric = params.metric;
  model.n_neighbors = std::min(params.n_neighbors, n);
  model.n_epochs = params.n_epochs.value_or(n <= kManyRows ? 500 : 200);
  model.negative_sample_rate = params.negative_sample_rate;
  model.seed = ctx.seed;
  model.a = curve.a;
  model.b = curve.b;
  model.learning_rate = params.learning_rate;
  model.local_connectivity = params.local_connectivity;
  model.repulsion_strength = params.repulsion_strength;
  return model;
}

}  // namespace

UmapFit umap_fit(const Source& rows, const UmapParams& params, Context& ctx) {
  check(rows, params);
  const int64_t n = rows.rows();
  UmapFit fit;
  fit.model = described(params, n, ctx);
  UmapModel& model = fit.model;
  check_memory(rows, model.n_neighbors, params.n_components, ctx);
  model.rows = detail::all_values(rows, ctx);
  if (n == 1) {
    model.embedding = Matrix<double>(1, params.n_components);
    fit.n_parts = 1;
    return fit;
  }
  ctx.stage("neighbours");
  detail::UmapGraph graph;
  {
    const Neighbors near = knn_graph(rows, model.n_neighbors - 1, detail::umap_kernel_metric(params.metric), ctx);
    graph = detail::umap_graph(near, params.local_connectivity, params.set_op_mix_ratio, ctx);
  }
  // An edge too weak to act even once.
  const double most = graph.weights.empty() ? 0 : *std::max_element(graph.weights.begin(), graph.weights.end());
  graph = detail::without_weak(graph, most / static_cast<double>(model.n_epochs));
  model.embedding = start_of(graph, rows, model.rows, params, fit, ctx);
  detail::on_each_rank(ctx, [&] { Epochs(graph, model, ctx).run(model.embedding); });
  return fit;
}

}  // namespace sluice
