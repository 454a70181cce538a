// Core distances over a kd-tree: a leaf of rows at a time goes through the tree, nearest boxes first.
#include "sluice/cluster/hdbscan_boxes.h"

namespace sluice::detail {
namespace {

// The core distances, leaf by leaf.
class CoreSearch {
 public:
  CoreSearch(const KdTree& tree, const Boxes& boxes, const ReachTask& task)
      : tree_(tree), boxes_(boxes), distances_(leaf_distances_for(task.metric(), tree.cols)), k_(task.min_samples() - 1) {}

  // Of the rows of leaf a, to `out`. Returns how many rows were held against how many leaves.
  int64_t run(int64_t a, double* out, std::vector<double>& scratch) const {
    const int64_t size = tree_.leaf_size(a);
    if (k_ == 0) {
      std::fill_n(out, size, 0.0);
      return 0;
    }
    scratch.assign(static_cast<size_t>(kLeafRows * k_), kInfinity);
    Found found{a, boxes_.node_of(a), tree_.leaf_size(a), scratch.data()};
    visit(found, tree_.root(), 0);
    for (int64_t q = 0; q < size; ++q) out[q] = found.nearest[q * k_ + k_ - 1];
    return found.compared;
  }

 private:
  struct Found {
    int64_t leaf, node, size;
    double* nearest;  // k ascending ones a row
    double worst = kInfinity;
    int64_t compared = 0;
  };
  void visit(Found& found, const KdNode& node, double gap) const {
    if (gap > found.worst) return;
    if (node.is_leaf()) return compare(found, node);
    KdNode near = node.left(), far = node.right();
    double near_gap = boxes_.gap(found.node, near.id), far_gap = boxes_.gap(found.node, far.id);
    const bool swap = far_gap < near_gap || (far_gap == near_gap && found.leaf >= node.right().leaf);
    if (swap) std::swap(near, far), std::swap(near_gap, far_gap);
    visit(found, near, near_gap);
    visit(found, far, far_gap);
  }
  void compare(Found& found, const KdNode& node) const {
    double gaps[kLeafRows];
    alignas(32) double value[kLeafRows];
    boxes_.gaps(found.leaf, node.id, gaps);
    const int64_t others = tree_.leaf_size(node.leaf);
    bool better = false;
    for (int64_t q = 0; q < found.size; ++q) {
      double* nearest = found.nearest + q * k_;
      if (gaps[q] > nearest[k_ - 1]) continue;
      ++found.compared;
      distances_(tree_.leaf(found.leaf) + q, kLeafRows, tree_.leaf(node.leaf), tree_.cols, value);
      for (int64_t v = 0; v < others; ++v) {
        if (!(value[v] < nearest[k_ - 1]) || (node.leaf == found.leaf && v == q)) continue;
        int64_t t = k_ - 1;
        for (; t > 0 && nearest[t - 1] > value[v]; --t) nearest[t] = nearest[t - 1];
        nearest[t] = value[v];
        better = true;
      }
    }
    if (!better) return;
    found.worst = 0;
    for (int64_t q = 0; q < found.size; ++q) found.worst = std::max(found.worst, found.nearest[q * k_ + k_ - 1]);
  }

  const KdTree& tree_;
  const Boxes& boxes_;
  LeafDistances distances_;
  int64_t k_;
};

// False where boxes prune so little that all pairs in float32 are quicker, judged by the core distances of some leaves: in nanoseconds,
// roughly, of a row held against a leaf, and of a pair; a spanning tree takes a few such passes either way.
bool prunes(const CoreSearch& search, const KdTree& tree, int64_t min_samples) {
  constexpr int64_t kSample = 32;
  const auto d = static_cast<double>(tree.cols);
  const double by_leaf = 30 + 4 * d, by_pair = 0.5 + 0.03 * d;
  std::vector<double> scratch, core(static_cast<size_t>(kLeafRows));
  int64_t compared = 0;
  if (tree.leaves <= kSample || min_samples == 1) return true;
  for (int64_t i = 0; i < kSample; ++i) compared += search.run(tree.leaves * i / kSample, core.data(), scratch);
  return static_cast<double>(compared) * by_leaf < static_cast<double>(kSample * kLeafRows) * static_cast<double>(tree.rows) * by_pair;
}

}  // namespace

std::optional<std::vector<double>> core_by_tree(const KdTree& tree, const Boxes& boxes, const ReachTask& task, bool always,
                                                const Context& ctx) {
  const CoreSearch search(tree, boxes, task);
  if (!always && !prunes(search, tree, task.min_samples())) return std::nullopt;
  ctx.stage("core distances");
  std::vector<double> core(static_cast<size_t>(tree.rows));
  std::vector<std::vector<double>> scratch(static_cast<size_t>(ctx.threads));
  in_pieces(tree.leaves, kPieceLeaves, ctx, [&](int worker, int64_t first, int64_t last) {
    for (int64_t a = first; a < last; ++a) search.run(a, core.data() + a * kLeafRows, scratch[static_cast<size_t>(worker)]);
  });
  return core;
}

}  // namespace sluice::detail
