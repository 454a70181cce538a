// Checks, the choice of the way, and all pairs of blocks; knn_tree.cc is the other way.
#include "sluice/neighbors/knn.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "sluice/core/memory.h"
#include "sluice/kernels/dist64.h"
#include "sluice/neighbors/neighbor_task.h"

namespace sluice {
namespace {

using detail::NeighborTask;

constexpr int64_t kTreeCols = 16;    // beyond, auto does not try a tree
constexpr int64_t kTreeRows = 1000;  // below, all pairs are done before a tree is built

// Whether a tree is tried; where it was asked for by name and can't be, the reason is thrown.
bool try_tree(const NeighborTask& task, NeighborWay way, const Context& ctx) {
  const int64_t n = task.rows().rows(), d = task.rows().cols();
  const bool can = detail::tree_can(task.metric());
  const bool fits = kd_tree_bytes(n, d) <= std::min(ctx.memory / 2, memory_left(task.rows(), ctx));
  if (way != NeighborWay::kKdTree) return way == NeighborWay::kAuto && can && fits && d <= kTreeCols && n >= kTreeRows;
  if (!can) fail(ErrorCode::kUsage, "--algorithm", "kd_tree can't search by cosine", "leave it out or use brute");
  if (!fits) {
    fail(ErrorCode::kMemory, "--algorithm",
         "the tree of " + to_text(n) + " rows takes more than half of the " + to_text(ctx.memory) + " bytes of the memory budget",
         "use brute, which reads the rows piece by piece, or a larger --memory");
  }
  return true;
}

// Buffers of one worker.
struct Worker {
  BlockBuffer mine, theirs;
  kernels::PairScratch scratch;
  std::vector<double> wide;
};

// f(worker, block number, queries, rows) for every block of queries of this rank against all blocks of rows, then done(the same first three).
template <class F, class Done>
void each_pair_of_blocks(const NeighborTask& task, const LeafRange& range, Context& ctx, F&& f, Done&& done) {
  const int64_t step = leaf_rows(task.rows().cols(), ctx);
  std::vector<Worker> workers(static_cast<size_t>(worker_count(ctx)));
  std::atomic<int64_t> ended{0};
  std::mutex stepping;
  for_each_leaf(range, ctx, [&](int w, int64_t number) {
    Worker& worker = workers[static_cast<size_t>(w)];
    const int64_t first = number * range.rows_per_leaf;
    const MatrixBlock queries = task.queries().read(first, std::min(range.rows_per_leaf, range.rows - first), worker.mine);
    for (int64_t at = 0; at < task.rows().rows(); at += step) {
      if (ctx.stopped()) fail(ErrorCode::kInterrupted, "run", "stopped on request", "run the same command again to go on");
      f(worker, number, queries, task.rows().read(at, std::min(step, task.rows().rows() - at), worker.theirs));
    }
    done(worker, number, queries);
    const std::lock_guard lock(stepping);
    ctx.step(++ended);
  });
}

Neighbors knn_by_pairs(const NeighborTask& task, int64_t k, Context& ctx) {
  const int64_t n = task.queries().rows();
  const LeafRange range = detail::block_range(n, leaf_rows(task.rows().cols(), ctx), ctx);
  ctx.stage("neighbours", range.last - range.first);
  Neighbors found;
  found.k = k;
  found.indices.assign(static_cast<size_t>(n * k), -1);
  found.distances.assign(static_cast<size_t>(n * k), std::numeric_limits<double>::infinity());
  const kernels::PairPlan plan = task.plan();
  each_pair_of_blocks(
      task, range, ctx,
      [&](Worker& worker, int64_t, const MatrixBlock& queries, const MatrixBlock& rows) {
        const int64_t at = queries.first_row * k;
        plan.nearest(queries.view(), rows.view(), rows.first_row, task.self() ? queries.first_row : -1, k, found.distances.data() + at,
                     found.indices.data() + at, worker.scratch);
      },
      [&](Worker&, int64_t, const MatrixBlock& queries) {
        double* at = found.distances.data() + queries.first_row * k;
        for (int64_t i = 0; i < queries.rows * k; ++i) at[i] = task.published(at[i]);
      });
  detail::share_rows(found.indices, range, k, ctx);
  detail::share_rows(found.distances, range, k, ctx);
  return found;
}

RadiusNeighbors radius_by_pairs(const NeighborTask& task, double limit, Context& ctx) {
  const LeafRange range = detail::block_range(task.queries().rows(), leaf_rows(task.rows().cols(), ctx), ctx);
  ctx.stage("neighbours", range.last - range.first);
  const kernels::PairPlan plan = task.plan();
  detail::PairBudget budget(ctx);
  std::vector<detail::FoundBlock> blocks(static_cast<size_t>(range.last - range.first));
  std::vector<std::vector<detail::Hit>> hits(blocks.size());
  const int64_t d = task.rows().cols();
  each_pair_of_blocks(
      task, range, ctx,
      [&](Worker& worker, int64_t number, const MatrixBlock& queries, const MatrixBlock& rows) {
        auto& to = hits[static_cast<size_t>(number - range.first)];
        const size_t before = to.size();
        worker.wide.resize(static_cast<size_t>(2 * d));
        const double* query = nullptr;
        int64_t held = -1;
        plan.visit_within(
            queries.view(), rows.view(), limit,
            [&](int64_t i, int64_t j) {
              if (task.self() && queries.first_row + i == rows.first_row + j) return;
              if (held != i) query = queries.row(held = i, worker.wide.data());
              const double* row = rows.row(j, worker.wide.data() + d);
              to.push_back({i, rows.first_row + j, kernels::distance64(task.metric(), row, query, d)});
            },
            worker.scratch);
        budget.take(static_cast<int64_t>(to.size() - before));
      },
      [&](Worker&, int64_t number, const MatrixBlock& queries) {
        const auto at = static_cast<size_t>(number - range.first);
        blocks[at] = detail::found_block(hits[at], queries.rows, task);
      });
  return detail::join_blocks(blocks, range, ctx);
}

Neighbors knn(const Source& rows, const Source* queries, int64_t k, kernels::Metric metric, Context& ctx, NeighborWay way) {
  detail::check_neighbors(rows, queries, k, ctx);
  const NeighborTask task(rows, queries, metric);
  if (try_tree(task, way, ctx)) {
    std::optional<Neighbors> found = detail::knn_by_tree(task, k, way == NeighborWay::kKdTree, ctx);
    if (found) return *std::move(found);
  }
  return detail::index_can(task) ? detail::knn_by_index(task, k, ctx) : knn_by_pairs(task, k, ctx);
}

RadiusNeighbors within(const Source& rows, const Source* queries, double radius, kernels::Metric metric, Context& ctx, NeighborWay way) {
  detail::check_rows(rows, queries);
  if (!(radius >= 0) || std::isinf(radius)) fail(ErrorCode::kUsage, "--radius", "it is not a finite number of 0 or more", "give one");
  const NeighborTask task(rows, queries, metric);
  const double limit = task.limit(radius);
  if (try_tree(task, way, ctx)) return detail::radius_by_tree(task, limit, ctx);
  return detail::index_can(task) ? detail::radius_by_index(task, limit, ctx) : radius_by_pairs(task, limit, ctx);
}

}  // namespace

namespace detail {

void check_rows(const Source& rows, const Source* queries) {
  require_clean(rows);
  if (rows.rows() < 1) fail(ErrorCode::kBadInput, "rows", "there is no row to be a neighbour", "give at least one");
  if (rows.cols() < 1)
    fail(ErrorCode::kBadInput, "columns", "there is no numeric column to measure distances by", "name some with --columns");
  if (rows.rows() > std::numeric_limits<int32_t>::max())
    fail(ErrorCode::kBadInput, "rows", "there are more than 2^31 - 1 rows", "take a sample");
  if (queries == nullptr) return;
  require_clean(*queries);
  if (queries->cols() == rows.cols()) return;
  fail(ErrorCode::kBadInput, "columns", "there are " + to_text(queries->cols()) + " and the rows to search have " + to_text(rows.cols()),
       "choose the same columns with --columns");
}

void check_neighbors(const Source& rows, const Source* queries, int64_t k, const Context& ctx) {
  check_rows(rows, queries);
  const int64_t most = queries == nullptr ? rows.rows() - 1 : rows.rows();
  if (k < 1 || k > most) {
    fail(
        ErrorCode::kBadInput, "--n-neighbors",
        to_text(k) + " neighbours are asked for and a row has " + to_text(most) + (queries == nullptr ? " others" : " rows to choose from"),
        most < 1 ? "give at least two rows" : "give 1 to " + to_text(most));
  }
  const int64_t n = queries == nullptr ? rows.rows() : queries->rows();
  const double bytes = 16.0 * static_cast<double>(n) * static_cast<double>(k) * (ctx.ranks() > 1 ? 2 : 1);
  require_left("--n-neighbors", "the list of " + to_text(k) + " neighbours of each of " + to_text(n) + " rows", bytes, rows, ctx,
               "give a smaller --n-neighbors or a larger --memory");
}

}  // namespace detail

Neighbors knn_graph(const Source& rows, int64_t k, kernels::Metric metric, Context& ctx, NeighborWay way) {
  return knn(rows, nullptr, k, metric, ctx, way);
}
Neighbors knn_search(const Source& rows, const Source& queries, int64_t k, kernels::Metric metric, Context& ctx, NeighborWay way) {
  return knn(rows, &queries, k, metric, ctx, way);
}
RadiusNeighbors radius_graph(const Source& rows, double radius, kernels::Metric metric, Context& ctx, NeighborWay way) {
  return within(rows, nullptr, radius, metric, ctx, way);
}
RadiusNeighbors radius_search(const Source& rows, const Source& queries, double radius, kernels::Metric metric, Context& ctx,
                              NeighborWay way) {
  return within(rows, &queries, radius, metric, ctx, way);
}

}  // namespace sluice
