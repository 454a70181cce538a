// A kd-tree over rows in memory: cut at medians of the widest column, so that it is even however skewed, repeated or far apart the rows
// are. Every node knows the smallest box around its rows, so that whole subtrees are taken or left by two comparisons. Use for radius
// searches in up to about 16 columns; with more, boxes overlap and kernels/pairs.h is quicker.
//
// Boxes only ever say "surely beyond" or "surely within"; whatever they leave open is decided by leaf_distance.h, so a search has the
// decisions of a plain loop over kernels/dist64.h. Bentley 1975, doi:10.1145/361002.361007.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "sluice/core/context.h"
#include "sluice/core/source.h"
#include "sluice/kernels/aligned.h"
#include "sluice/neighbors/leaf_distance.h"

namespace sluice {

// A subtree: `leaves` leaves from number `leaf` on. Nodes are numbered in preorder.
struct KdNode {
  int64_t id = 0;
  int64_t leaf = 0;
  int64_t leaves = 0;
  bool is_leaf() const { return leaves == 1; }
  KdNode left() const { return {id + 1, leaf, (leaves + 1) / 2}; }
  KdNode right() const {
    const int64_t half = (leaves + 1) / 2;
    return {id + 2 * half, leaf + half, leaves - half};
  }
};

struct KdTree {
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t leaves = 0;                      // all of kLeafRows rows but the last; position p lies in leaf p / kLeafRows
  std::vector<int64_t> row_of;             // position -> row of the source
  kernels::AlignedBuffer<double> columns;  // leaf by leaf, column by column: kLeafRows values, NaN where there is no row
  std::vector<double> boxes;               // node by node: cols lows, cols highs

  KdNode root() const { return {0, 0, leaves}; }
  int64_t nodes() const { return 2 * leaves - 1; }
  const double* leaf(int64_t number) const { return columns.data() + number * cols * kLeafRows; }
  const double* low(int64_t node) const { return boxes.data() + 2 * node * cols; }
  const double* high(int64_t node) const { return low(node) + cols; }
  int64_t leaf_size(int64_t number) const { return std::min(kLeafRows, rows - number * kLeafRows); }
  uint32_t leaf_bits(int64_t number) const { return (uint32_t{1} << leaf_size(number)) - 1; }
};

// Bytes that building takes at its peak, the tree itself included.
int64_t kd_tree_bytes(int64_t rows, int64_t cols);

// Reads all rows of the source (on every rank, alone). Cost O(n d log n) on ctx.threads. rows, cols >= 1; values finite.
KdTree build_kd_tree(const Source& source, const Context& ctx);

// What boxes prove about the distances (dist64.h: squared Euclidean or Manhattan) of the rows inside them.
class BoxReach {
 public:
  BoxReach(kernels::Metric metric, int64_t d, double limit)
      : absolute_(metric == kernels::Metric::kManhattan),
        d_(d),
        limit_(limit),
        wide_(static_cast<double>(d + 64) * 0x1p-51),
        tiny_(static_cast<double>(d + 1) * 0x1p-1070) {}

  // Every pair of one row from each box is farther apart than the limit.
  bool beyond(const double* a_low, const double* a_high, const double* b_low, const double* b_high) const {
    double gap = 0;
    for (int64_t j = 0; j < d_; ++j) {
      const double t = std::max(0.0, std::max(b_low[j] - a_high[j], a_low[j] - b_high[j]));
      gap += absolute_ ? t : t * t;
    }
    return gap * (1 - wide_) > limit_ + tiny_;  // dist64 and `gap` both round, and squares of both may underflow
  }
  // Every pair is within the limit.
  bool within(const double* a_low, const double* a_high, const double* b_low, const double* b_high) const {
    double span = 0, widest = 0;
    for (int64_t j = 0; j < d_; ++j) {
      const double t = std::max(std::fabs(a_high[j] - b_low[j]), std::fabs(b_high[j] - a_low[j]));
      widest = std::max(widest, t);
      span += absolute_ ? t : t * t;
    }
    return widest == 0 || span * (1 + wide_) + tiny_ <= limit_;
  }
  // The rows of a leaf (a bit each) that may have a row of the box within the limit.
  uint32_t near(const double* leaf, const double* low, const double* high) const {
    double gap[kLeafRows] = {};
    for (int64_t j = 0; j < d_; ++j) {
      for (int64_t v = 0; v < kLeafRows; ++v) {
        const double x = leaf[j * kLeafRows + v];
        const double below = low[j] - x, above = x - high[j];
        const double outside = below > above ? below : above;
        const double t = outside > 0 ? outside : 0;
        gap[v] += absolute_ ? t : t * t;
      }
    }
    uint32_t bits = 0;
    for (int64_t v = 0; v < kLeafRows; ++v) bits |= static_cast<uint32_t>(!(gap[v] * (1 - wide_) > limit_ + tiny_)) << v;
    return bits;
  }

 private:
  bool absolute_;
  int64_t d_;
  double limit_;
  double wide_;
  double tiny_;
};

}  // namespace sluice
