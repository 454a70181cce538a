// Places of new rows in a finished map.
#include <algorithm>

#include "sluice/core/error.h"
#include "sluice/core/statistics.h"
#include "sluice/neighbors/knn.h"
#include "sluice/reduce/leaf_sums.h"
#include "sluice/reduce/umap_graph.h"
#include "sluice/reduce/umap_move.h"
#include "sluice/reduce/umap_parts.h"

namespace sluice {
namespace detail {

void on_each_rank(Context& ctx, const std::function<void()>& work) {
  LeafRange once;
  once.rows_per_leaf = 1;
  once.rows = once.leaves = ctx.ranks();
  once.first = ctx.rank();
  once.last = once.first + 1;
  for_each_leaf(once, ctx, [&](int, int64_t) { work(); });
}

Matrix<double> all_values(const Source& rows, Context& ctx) {
  Matrix<double> out(rows.rows(), rows.cols());
  Context alone = ctx;
  alone.comm = nullptr;
  on_each_rank(ctx, [&] {
    map(rows, alone, [&](int, const MatrixBlock& block) {
      for (int64_t r = 0; r < block.rows; ++r) {
        double* to = out.row(block.first_row + r);
        const double* from = block.row(r, to);
        if (from != to) std::copy_n(from, block.cols, to);
      }
    });
  });
  return out;
}

}  // namespace detail

namespace {

constexpr int64_t kPiece = 256;      // new rows a task
constexpr double kSlower = 0.25;     // of the fit's learning rate, as umap-learn
constexpr int64_t kFewerEpochs = 3;  // of the fit's

// One new row's strengths to its neighbours, weak ones 0.
std::vector<double> strengths_of(const UmapModel& model, const double* distances, int64_t k, int64_t epochs) {
  // As umap-learn: the nearest row stands where the fit has the row itself.
  const double connectivity = std::max(0.0, model.local_connectivity - 1);
  double mean = 0;
  for (int64_t j = 0; j < k; ++j) mean += distances[j];
  const detail::UmapScale scale = detail::umap_scale(distances, k, connectivity, mean / static_cast<double>(k));
  std::vector<double> out(static_cast<size_t>(k));
  for (int64_t j = 0; j < k; ++j) out[static_cast<size_t>(j)] = detail::umap_strength(scale, distances[j]);
  double most = *std::max_element(out.begin(), out.end());
  if (most == 0) out[0] = most = 1;  // so far from all that every strength vanishes: it goes to the nearest
  for (double& x : out) x = x * static_cast<double>(epochs) < most ? 0 : x;
  return out;
}

class Placing {
 public:
  Placing(const UmapModel& model, const Neighbors& near, Matrix<double>& out)
      : model_(model), near_(near), out_(out), epochs_(std::max<int64_t>(1, model.n_epochs / kFewerEpochs)) {}

  void place(const MatrixBlock& block, const Context& ctx) {
    const int64_t first = block.first_row;
    const int64_t last = first + block.rows;
    std::vector<double> scratch(static_cast<size_t>(block.cols));
    std::vector<int64_t> moving;
    std::vector<detail::UmapSchedule> schedules;
    for (int64_t i = first; i < last; ++i) {
      if (const int64_t same = equal_row(i, block.row(i - first, scratch.data())); same >= 0) {
        std::copy_n(model_.embedding.row(same), out_.cols, out_.row(i));
        continue;
      }
      const std::vector<double> strengths = strengths_of(model_, near_.distance(i), near_.k, epochs_);
      to_mean(i, strengths);
      moving.push_back(i);
      schedules.emplace_back(strengths, *std::max_element(strengths.begin(), strengths.end()));
    }
    detail::UmapMoves moves;
    for (int64_t epoch = 0; epoch < epochs_ && !ctx.stopped(); ++epoch) {
      moves.clear();
      for (size_t m = 0; m < moving.size(); ++m) {
        moves.points.insert(moves.points.end(), out_.row(moving[m]), out_.row(moving[m]) + out_.cols);
        add_steps(moving[m], epoch, schedules[m], moves);
        moves.ends.push_back(static_cast<int64_t>(moves.steps.size()));
      }
      const double rate = kSlower * model_.learning_rate * (1 - static_cast<double>(epoch) / static_cast<double>(epochs_));
      detail::umap_move({model_.a, model_.b, model_.repulsion_strength}, model_.embedding, rate, moves);
      for (size_t m = 0; m < moving.size(); ++m)
        std::copy_n(moves.points.data() + static_cast<int64_t>(m) * out_.cols, out_.cols, out_.row(moving[m]));
    }
  }

 private:
  // The fitted row of the same values, or -1. By values and not by distance, since 1 - cos of equal rows may miss 0 by a rounding.
  int64_t equal_row(int64_t i, const double* row) const {
    for (int64_t j = 0; j < near_.k; ++j) {
      if (std::equal(row, row + model_.rows.cols, model_.rows.row(near_.row(i)[j]))) return near_.row(i)[j];
    }
    return -1;
  }

  void to_mean(int64_t i, const std::vector<double>& strengths) {
    double total = 0;
    for (const double x : strengths) total += x;
    for (int64_t j = 0; j < near_.k; ++j) {
      const double share = strengths[static_cast<size_t>(j)] / total;
      const double* place = model_.embedding.row(near_.row(i)[j]);
      for (int64_t c = 0; c < out_.cols; ++c) out_(i, c) += share * place[c];
    }
  }

  // Random rows are named by the epoch and the nearest row, so that no other row, nor its own number, matters.
  void add_steps(int64_t i, int64_t epoch, detail::UmapSchedule& schedule, detail::UmapMoves& moves) {
    const auto n = static_cast<uint64_t>(model_.rows.rows);
    detail::UmapDraws draws(model_.seed, static_cast<uint64_t>(epoch) * n + static_cast<uint64_t>(near_.row(i)[0]));
    for (int64_t j = 0; j < near_.k; ++j) {
      if (!schedule.acts(static_cast<size_t>(j), epoch)) continue;
      moves.steps.push_back({static_cast<int32_t>(near_.row(i)[j]), true});
      for (int64_t s = 0; s < model_.negative_sample_rate; ++s) moves.steps.push_back({draws.below(n), false});
    }
  }

  const UmapModel& model_;
  const Neighbors& near_;
  Matrix<double>& out_;
  int64_t epochs_;
};

}  // namespace

Matrix<double> umap_transform(const UmapModel& model, const Source& rows, Context& ctx) {
  require_clean(rows);
  const int64_t q = model.embedding.cols;
  if (rows.rows() == 0) return Matrix<double>(0, q);
  within_memory(ctx, "umap", "give the new rows in several files",
                static_cast<double>(rows.rows()) * static_cast<double>(32 * model.n_neighbors + 8 * q + 64) +
                    8 * static_cast<double>(model.rows.values.size()),
                0);
  MemorySource fitted(DType::kF64, model.rows.values.data(), model.rows.rows, model.rows.cols, model.rows.cols, nullptr);
  Context alone = ctx;
  alone.comm = nullptr;
  fitted.stats = measure(fitted, alone);
  require_clean(fitted);
  ctx.stage("neighbours");
  const Neighbors near = knn_search(fitted, rows, model.n_neighbors, detail::umap_kernel_metric(model.metric), ctx);
  Matrix<double> out(rows.rows(), q);
  ctx.stage("places");
  detail::on_each_rank(ctx, [&] {
    detail::for_pieces(rows.rows(), kPiece, ctx, [&](int64_t first, int64_t last) {
      BlockBuffer buffer;
      Placing(model, near, out).place(rows.read(first, last - first, buffer), ctx);
      if (ctx.stopped()) fail(ErrorCode::kInterrupted, "run", "stopped on request", "run the same command again to go on");
    });
  });
  return out;
}

}  // namespace sluice
