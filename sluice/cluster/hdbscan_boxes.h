// The boxes of a kd-tree as HDBSCAN's searches see them: whole leaves of rows against nodes. Not for other use.
#pragma once
#include <algorithm>
#include <optional>
#include <vector>

#include "sluice/cluster/hdbscan_parts.h"
#include "sluice/neighbors/kd_tree.h"

namespace sluice::detail {

inline constexpr int64_t kPieceLeaves = 32;  // leaves a piece of parallel work

// Boxes, rows and how near they may be.
class Boxes {
 public:
  Boxes(const KdTree& tree, kernels::Metric metric)
      : tree_(tree),
        absolute_(metric == kernels::Metric::kManhattan),
        wide_(1 - static_cast<double>(tree.cols + 64) * 0x1p-51),
        tiny_(static_cast<double>(tree.cols + 1) * 0x1p-1070),
        nodes_(static_cast<size_t>(tree.nodes())),
        leaf_node_(static_cast<size_t>(tree.leaves)) {
    nodes_[0] = tree.root();
    for (size_t id = 0; id < nodes_.size(); ++id) {
      const KdNode node = nodes_[id];
      if (node.is_leaf()) {
        leaf_node_[static_cast<size_t>(node.leaf)] = node.id;
      } else {
        nodes_[static_cast<size_t>(node.left().id)] = node.left();
        nodes_[static_cast<size_t>(node.right().id)] = node.right();
      }
    }
  }
  const std::vector<KdNode>& nodes() const { return nodes_; }
  int64_t node_of(int64_t leaf) const { return leaf_node_[static_cast<size_t>(leaf)]; }

  // No row of one box is nearer to one of the other, by dist64.h; as in BoxReach.
  double gap(int64_t a, int64_t b) const {
    const double *a_low = tree_.low(a), *a_high = tree_.high(a), *b_low = tree_.low(b), *b_high = tree_.high(b);
    double sum = 0;
    for (int64_t j = 0; j < tree_.cols; ++j) {
      const double t = std::max(0.0, std::max(b_low[j] - a_high[j], a_low[j] - b_high[j]));
      sum += absolute_ ? t : t * t;
    }
    return surely(sum);
  }
  // The same for each row of a leaf.
  void gaps(int64_t leaf, int64_t node, double* out) const {
    const double *rows = tree_.leaf(leaf), *low = tree_.low(node), *high = tree_.high(node);
    double sum[kLeafRows] = {};
    for (int64_t j = 0; j < tree_.cols; ++j) {
      for (int64_t v = 0; v < kLeafRows; ++v) {
        const double x = rows[j * kLeafRows + v];
        const double below = low[j] - x, above = x - high[j];
        const double outside = below > above ? below : above;
        const double t = outside > 0 ? outside : 0;
        sum[v] += absolute_ ? t : t * t;
      }
    }
    for (int64_t v = 0; v < kLeafRows; ++v) out[v] = surely(sum[v]);
  }

 private:
  double surely(double sum) const { return std::max(0.0, sum * wide_ - tiny_); }
  const KdTree& tree_;
  bool absolute_;
  double wide_, tiny_;
  std::vector<KdNode> nodes_;  // by id
  std::vector<int64_t> leaf_node_;
};

// The core distances by position; nothing, unless `always`, where boxes prune so little that all pairs are quicker.
std::optional<std::vector<double>> core_by_tree(const KdTree& tree, const Boxes& boxes, const ReachTask& task, bool always,
                                                const Context& ctx);

}  // namespace sluice::detail
