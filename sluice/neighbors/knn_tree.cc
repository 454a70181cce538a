// Neighbours over a kd-tree. A row's own neighbours are searched in the order of the tree's leaves, so that searches that follow each other
// walk the same nodes.
#include <algorithm>
#include <limits>

#include "sluice/neighbors/neighbor_task.h"

namespace sluice::detail {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The same tree on every rank; an error of one is thrown on all.
KdTree tree_on_each_rank(const Source& rows, Context& ctx) {
  KdTree tree;
  LeafRange once;
  once.rows_per_leaf = 1;
  once.rows = once.leaves = ctx.ranks();
  once.first = ctx.rank();
  once.last = ctx.rank() + 1;
  for_each_leaf(once, ctx, [&](int, int64_t) { tree = build_kd_tree(rows, ctx); });
  return tree;
}

// One search at a time; a worker has its own.
class TreeWalk {
 public:
  TreeWalk(const KdTree& tree, kernels::Metric metric)
      : tree_(tree),
        absolute_(metric == kernels::Metric::kManhattan),
        distances_(leaf_distances_for(metric, tree.cols)),
        wide_(1 - static_cast<double>(tree.cols + 64) * 0x1p-51),
        tiny_(static_cast<double>(tree.cols + 1) * 0x1p-1070) {}

  int64_t leaves_seen() const { return leaves_seen_; }

  // visit(value, row) for every row of every leaf that may hold one with value <= limit(), nearest boxes first; limit() may shrink.
  template <class Limit, class Visit>
  void run(const double* point, Limit&& limit, Visit&& visit) {
    alignas(32) double value[kLeafRows];
    pending_.clear();
    pending_.push_back({tree_.root(), 0});
    while (!pending_.empty()) {
      Pending at = pending_.back();
      pending_.pop_back();
      if (at.gap * wide_ > limit() + tiny_) continue;
      while (!at.node.is_leaf()) {
        Pending left{at.node.left(), gap(point, at.node.left().id)}, right{at.node.right(), gap(point, at.node.right().id)};
        if (right.gap < left.gap) std::swap(left, right);
        pending_.push_back(right);
        at = left;
      }
      if (at.gap * wide_ > limit() + tiny_) continue;
      ++leaves_seen_;
      distances_(point, 1, tree_.leaf(at.node.leaf), tree_.cols, value);
      const int64_t size = tree_.leaf_size(at.node.leaf);
      const int64_t* rows = tree_.row_of.data() + at.node.leaf * kLeafRows;
      for (int64_t v = 0; v < size; ++v) {
        if (value[v] <= limit()) visit(value[v], rows[v]);
      }
    }
  }

 private:
  struct Pending {
    KdNode node;
    double gap;
  };
  // dist64 of every row of the box is at least gap (1 - (d + 64) 2^-51) - tiny, as in BoxReach::beyond.
  double gap(const double* point, int64_t node) const {
    const double* low = tree_.low(node);
    const double* high = tree_.high(node);
    double sum = 0;
    for (int64_t j = 0; j < tree_.cols; ++j) {
      const double t = std::max(0.0, std::max(low[j] - point[j], point[j] - high[j]));
      sum += absolute_ ? t : t * t;
    }
    return sum;
  }

  const KdTree& tree_;
  bool absolute_;
  LeafDistances distances_;
  double wide_, tiny_;
  std::vector<Pending> pending_;
  int64_t leaves_seen_ = 0;
};

// Puts (value, row) into the ascending list of k, which ends in value or more.
void insert(double value, int64_t row, int64_t k, double* distance, int64_t* index) {
  const auto before = [&](int64_t t) { return value < distance[t] || (value == distance[t] && (index[t] < 0 || row < index[t])); };
  if (!before(k - 1)) return;
  int64_t t = k - 1;
  for (; t > 0 && before(t - 1); --t) {
    distance[t] = distance[t - 1];
    index[t] = index[t - 1];
  }
  distance[t] = value;
  index[t] = row;
}

// The queries of a search: the tree's own rows by position, or the rows of a source.
class Queries {
 public:
  Queries(const NeighborTask& task, const KdTree& tree, Context& ctx)
      : task_(task), tree_(tree), buffers_(static_cast<size_t>(worker_count(ctx))), point_(buffers_.size()) {
    for (auto& point : point_) point.resize(static_cast<size_t>(tree.cols));
  }
  int64_t count() const { return task_.self() ? tree_.rows : task_.queries().rows(); }
  // f(point, number of the query, the row it is or -1) for the queries at [first, first + count).
  template <class F>
  void each(int worker, int64_t first, int64_t count, F&& f) {
    double* point = point_[static_cast<size_t>(worker)].data();
    if (task_.self()) {
      for (int64_t p = first; p < first + count; ++p) {
        const double* leaf = tree_.leaf(p / kLeafRows) + p % kLeafRows;
        for (int64_t j = 0; j < tree_.cols; ++j) point[j] = leaf[j * kLeafRows];
        const int64_t row = tree_.row_of[static_cast<size_t>(p)];
        f(point, row, row);
      }
      return;
    }
    const MatrixBlock block = task_.queries().read(first, count, buffers_[static_cast<size_t>(worker)]);
    for (int64_t i = 0; i < count; ++i) f(block.row(i, point), first + i, int64_t{-1});
  }

 private:
  const NeighborTask& task_;
  const KdTree& tree_;
  std::vector<BlockBuffer> buffers_;
  std::vector<std::vector<double>> point_;
};

constexpr int64_t kBlockRows = 1024;

class TreeKnn {
 public:
  TreeKnn(const NeighborTask& task, int64_t k, Context& ctx)
      : task_(task), tree_(tree_on_each_rank(task.rows(), ctx)), queries_(task, tree_, ctx), k_(k), ctx_(ctx) {}

  // By the leaves that some searches see, in nanoseconds, roughly, of a leaf and of a pair in float32.
  bool prunes() {
    constexpr int64_t kSample = 32;
    const auto d = static_cast<double>(tree_.cols);
    const double by_leaf = 25 + 4 * d, by_pairs = static_cast<double>(tree_.leaves) * (4 + 0.25 * d);
    TreeWalk walk(tree_, task_.metric());
    std::vector<double> distance(static_cast<size_t>(k_));
    std::vector<int64_t> index(distance.size());
    const int64_t samples = std::min(kSample, queries_.count());
    for (int64_t s = 0; s < samples; ++s) {
      queries_.each(0, queries_.count() * s / samples, 1,
                    [&](const double* point, int64_t, int64_t self) { search(walk, point, self, distance.data(), index.data()); });
      if (static_cast<double>(walk.leaves_seen()) * by_leaf > static_cast<double>(samples) * by_pairs) return false;
    }
    return true;
  }

  Neighbors run() {
    const int64_t n = queries_.count();
    const LeafRange range = block_range(n, kBlockRows, ctx_);
    ctx_.stage("neighbours", range.last - range.first);
    Neighbors found;
    found.k = k_;
    found.indices.resize(static_cast<size_t>(n * k_));
    found.distances.resize(static_cast<size_t>(n * k_));
    std::vector<TreeWalk> walks(static_cast<size_t>(worker_count(ctx_)), TreeWalk(tree_, task_.metric()));
    // Over ranks the lists lie by position until all have them.
    const bool by_row = ctx_.ranks() == 1;
    for_each_leaf(range, ctx_, [&](int worker, int64_t block) {
      const int64_t first = block * range.rows_per_leaf;
      int64_t position = first;
      queries_.each(worker, first, std::min(range.rows_per_leaf, n - first), [&](const double* point, int64_t query, int64_t self) {
        const int64_t at = (by_row ? query : position) * k_;
        ++position;
        search(walks[static_cast<size_t>(worker)], point, self, found.distances.data() + at, found.indices.data() + at);
        for (int64_t i = at; i < at + k_; ++i)
          found.distances[static_cast<size_t>(i)] = task_.published(found.distances[static_cast<size_t>(i)]);
      });
    });
    if (by_row) return found;
    share_rows(found.indices, range, k_, ctx_);
    share_rows(found.distances, range, k_, ctx_);
    return task_.self() ? by_rows(found) : found;
  }

 private:
  void search(TreeWalk& walk, const double* point, int64_t self, double* distance, int64_t* index) const {
    std::fill_n(distance, k_, kInfinity);
    std::fill_n(index, k_, -1);
    walk.run(
        point, [&] { return distance[k_ - 1]; },
        [&](double value, int64_t row) {
          if (row != self) insert(value, row, k_, distance, index);
        });
  }

  Neighbors by_rows(const Neighbors& by_position) const {
    Neighbors out = by_position;
    for (int64_t p = 0; p < tree_.rows; ++p) {
      const int64_t at = tree_.row_of[static_cast<size_t>(p)] * k_;
      std::copy_n(by_position.row(p), k_, out.indices.begin() + at);
      std::copy_n(by_position.distance(p), k_, out.distances.begin() + at);
    }
    return out;
  }

  const NeighborTask& task_;
  KdTree tree_;
  Queries queries_;
  int64_t k_;
  Context& ctx_;
};

}  // namespace

bool tree_can(kernels::Metric metric) {
  return metric != kernels::Metric::kCosine;
}

std::optional<Neighbors> knn_by_tree(const NeighborTask& task, int64_t k, bool always, Context& ctx) {
  TreeKnn search(task, k, ctx);
  if (!always && !search.prunes()) return std::nullopt;
  return search.run();
}

// The rows of the queries are read from their source in row order here: results are joined block by block.
RadiusNeighbors radius_by_tree(const NeighborTask& task, double limit, Context& ctx) {
  const KdTree tree = tree_on_each_rank(task.rows(), ctx);
  const int64_t n = task.queries().rows();
  const LeafRange range = block_range(n, kBlockRows, ctx);
  ctx.stage("neighbours", range.last - range.first);
  std::vector<TreeWalk> walks(static_cast<size_t>(worker_count(ctx)), TreeWalk(tree, task.metric()));
  std::vector<BlockBuffer> buffers(walks.size());
  std::vector<FoundBlock> blocks(static_cast<size_t>(range.last - range.first));
  PairBudget budget(ctx);
  for_each_leaf(range, ctx, [&](int worker, int64_t number) {
    const int64_t first = number * range.rows_per_leaf;
    const MatrixBlock queries = task.queries().read(first, std::min(range.rows_per_leaf, n - first), buffers[static_cast<size_t>(worker)]);
    std::vector<double> point(static_cast<size_t>(tree.cols));
    std::vector<std::pair<double, int64_t>> hits;
    FoundBlock& block = blocks[static_cast<size_t>(number - range.first)];
    for (int64_t i = 0; i < queries.rows; ++i) {
      hits.clear();
      walks[static_cast<size_t>(worker)].run(
          queries.row(i, point.data()), [&] { return limit; },
          [&](double value, int64_t row) {
            if (!task.self() || row != first + i) hits.emplace_back(value, row);
          });
      budget.take(static_cast<int64_t>(hits.size()));
      std::sort(hits.begin(), hits.end());
      block.counts.push_back(static_cast<int64_t>(hits.size()));
      for (const auto& [value, row] : hits) {
        block.distances.push_back(task.published(value));
        block.indices.push_back(row);
      }
    }
  });
  return join_blocks(blocks, range, ctx);
}

}  // namespace sluice::detail
