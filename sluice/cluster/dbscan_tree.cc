// DBSCAN over a kd-tree, leaf by leaf: three passes that each take a leaf of rows through the tree, with the whole leaf pruned at once.
//   core     a subtree whose box is surely within eps counts as a whole; a leaf stops as soon as all its rows have enough.
//   unite    a subtree known to hold one set only is skipped by leaves of that set; so dense regions cost few distances, however large eps
//   is. border   a subtree whose lowest label is no better than what the leaf's rows have is skipped.
// Flags are per position, sets a union-find over positions, so memory is O(n).
#include <algorithm>
#include <atomic>
#include <bit>
#include <optional>

#include "sluice/cluster/dbscan_parts.h"
#include "sluice/core/fold.h"
#include "sluice/neighbors/kd_tree.h"

namespace sluice::detail {
namespace {

constexpr int64_t kChunkLeaves = 64;

// The leaves of the tree in chunks, dealt to the ranks.
LeafRange chunks_of(const KdTree& tree, const Context& ctx) {
  LeafRange range;
  range.rows_per_leaf = kChunkLeaves * kLeafRows;
  range.rows = tree.rows;
  range.leaves = (tree.leaves + kChunkLeaves - 1) / kChunkLeaves;
  range.first = range.leaves * ctx.rank() / ctx.ranks();
  range.last = range.leaves * (ctx.rank() + 1) / ctx.ranks();
  return range;
}

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

class TreeDbscan {
 public:
  TreeDbscan(const KdTree& tree, const DbscanTask& task, Context& ctx)
      : tree_(tree),
        task_(task),
        ctx_(ctx),
        reach_(task.metric, tree.cols, task.limit),
        mask_(leaf_mask_for(task.metric, tree.cols)),
        core_(static_cast<size_t>(tree.leaves)),
        first_core_(static_cast<size_t>(tree.nodes()), -1),
        uniform_(new std::atomic<uint8_t>[static_cast<size_t>(tree.nodes())]()),
        sets_(tree.rows),
        leaf_node_(static_cast<size_t>(tree.leaves)) {
    number_leaves(tree.root());
    if (task_.mass.weighted()) weigh();
  }

  // False where boxes prune so little that all pairs in float32 are quicker, judged by some leaves' share of the core pass.
  bool prunes() const {
    constexpr int64_t kSample = 32;
    const auto d = static_cast<double>(tree_.cols);
    // In cycles, roughly, of a row with a leaf and of a pair; a tree takes about two passes.
    const double by_leaf = 2 * (6 * d + 10), by_pairs = 0.5 * static_cast<double>(kLeafRows * tree_.rows) * (d / 16 + 0.5);
    double left = kSample * by_pairs / by_leaf;
    for (int64_t i = 0; i < kSample && left > 0; ++i) {
      const int64_t a = tree_.leaves * i / kSample;
      Count count{a, node_of(a), tree_.leaf_bits(a)};
      gather(count, tree_.root());
      left -= static_cast<double>(count.compared);
    }
    return left > 0 || tree_.leaves < kSample;
  }

  DbscanLabels run() {
    ctx_.stage("core rows");
    each_leaf([&](int64_t a) { core_[static_cast<size_t>(a)] = core_rows(a); });
    share(core_);
    ctx_.stage("clusters");
    prepare(tree_.root());
    each_leaf([&](int64_t a) {
      if (core_[static_cast<size_t>(a)] != 0) unite_leaf(a, tree_.root());
    });
    sets_.join_ranks(ctx_);
    return labelled();
  }

 private:
  template <class F>
  void each_leaf(F&& f) {
    for_each_leaf(chunks_of(tree_, ctx_), ctx_, [&](int, int64_t chunk) {
      const int64_t last = std::min(tree_.leaves, (chunk + 1) * kChunkLeaves);
      for (int64_t a = chunk * kChunkLeaves; a < last; ++a) f(a);
    });
  }
  // Puts the ranks' parts of a value a leaf together.
  template <class T>
  void share(std::vector<T>& values, int64_t each = 1) {
    if (ctx_.ranks() == 1) return;
    const LeafRange mine = chunks_of(tree_, ctx_);
    const auto size = static_cast<int64_t>(values.size());
    const int64_t first = std::min(size, mine.first * kChunkLeaves * each), last = std::min(size, mine.last * kChunkLeaves * each);
    std::byte* to = reinterpret_cast<std::byte*>(values.data());
    for (const Bytes& part : ctx_.comm->all_gather(std::as_bytes(std::span<const T>(values.data() + first, values.data() + last)))) {
      to = std::copy(part.begin(), part.end(), to);
    }
  }

  void number_leaves(const KdNode& node) {
    if (node.is_leaf()) {
      leaf_node_[static_cast<size_t>(node.leaf)] = node.id;
      return;
    }
    number_leaves(node.left());
    number_leaves(node.right());
  }
  int64_t node_of(int64_t leaf) const { return leaf_node_[static_cast<size_t>(leaf)]; }
  bool beyond(int64_t a, int64_t b) const { return reach_.beyond(tree_.low(a), tree_.high(a), tree_.low(b), tree_.high(b)); }
  bool within(int64_t a, int64_t b) const { return reach_.within(tree_.low(a), tree_.high(a), tree_.low(b), tree_.high(b)); }
  uint32_t near(int64_t a, int64_t b) const { return reach_.near(tree_.leaf(a), tree_.low(node_of(b)), tree_.high(node_of(b))); }
  // The rows of leaf b within the limit of row q of leaf a.
  uint32_t hits(int64_t a, int q, int64_t b) const { return mask_(tree_.leaf(a) + q, kLeafRows, tree_.leaf(b), tree_.cols, task_.limit); }
  int64_t rows_in(const KdNode& node) const { return std::min(tree_.rows, (node.leaf + node.leaves) * kLeafRows) - node.leaf * kLeafRows; }

  // Weights by position and by node.
  void weigh() {
    std::vector<Mass> by_row(static_cast<size_t>(tree_.rows));
    Context alone = ctx_;
    alone.comm = nullptr;
    map(task_.rows, alone, [&](int, const MatrixBlock& leaf) {
      for (int64_t i = 0; i < leaf.rows; ++i) by_row[static_cast<size_t>(leaf.first_row + i)] = task_.mass.of(leaf.weight(i));
    });
    mass_.resize(static_cast<size_t>(tree_.rows));
    for (size_t p = 0; p < mass_.size(); ++p) mass_[p] = by_row[static_cast<size_t>(tree_.row_of[p])];
    node_mass_.resize(static_cast<size_t>(tree_.nodes()));
    weigh(tree_.root());
  }
  Mass weigh(const KdNode& node) {
    Mass sum;
    if (node.is_leaf()) {
      for (int64_t p = 0; p < rows_in(node); ++p) sum += mass_[static_cast<size_t>(node.leaf * kLeafRows + p)];
    } else {
      sum += weigh(node.left());
      sum += weigh(node.right());
    }
    node_mass_[static_cast<size_t>(node.id)] = sum;
    return sum;
  }
  Mass mass_of(const KdNode& node) const { return mass_.empty() ? Mass{rows_in(node), 0} : node_mass_[static_cast<size_t>(node.id)]; }
  Mass mass_of(int64_t leaf, uint32_t bits) const {
    if (mass_.empty()) return {std::popcount(bits), 0};
    Mass sum;
    for (; bits != 0; bits &= bits - 1) sum += mass_[static_cast<size_t>(leaf * kLeafRows + std::countr_zero(bits))];
    return sum;
  }

  // Of the core pass: one leaf's rows, and those that have not enough yet.
  struct Count {
    int64_t leaf;
    int64_t node;
    uint32_t open;
    Mass sum[kLeafRows] = {};
    int64_t compared = 0;  // rows with leaves
  };
  uint16_t core_rows(int64_t a) const {
    Count count{a, node_of(a), tree_.leaf_bits(a)};
    gather(count, tree_.root());
    return static_cast<uint16_t>(tree_.leaf_bits(a) & ~count.open);
  }
  void add(Count& count, int q, const Mass& mass) const {
    count.sum[q] += mass;
    if (task_.mass.enough(count.sum[q])) count.open &= ~(uint32_t{1} << q);
  }
  void gather(Count& count, const KdNode& node) const {
    if (count.open == 0 || beyond(count.node, node.id)) return;
    if (within(count.node, node.id)) {
      for (uint32_t left = count.open; left != 0; left &= left - 1) add(count, std::countr_zero(left), mass_of(node));
      return;
    }
    if (node.is_leaf()) {
      for (uint32_t left = count.open & near(count.leaf, node.leaf); left != 0; left &= left - 1) {
        const int q = std::countr_zero(left);
        ++count.compared;
        add(count, q, mass_of(node.leaf, hits(count.leaf, q, node.leaf) & tree_.leaf_bits(node.leaf)));
      }
      return;
    }
    // The own leaf first, then what is nearest in the tree: enough is found soon.
    const bool right_first = count.leaf >= node.right().leaf;
    gather(count, right_first ? node.right() : node.left());
    gather(count, right_first ? node.left() : node.right());
  }

  std::atomic<uint8_t>& uniform(int64_t node) { return uniform_[static_cast<size_t>(node)]; }
  bool is_uniform(int64_t node) { return uniform(node).load(std::memory_order_relaxed) != 0; }
  int64_t first_core(int64_t node) const { return first_core_[static_cast<size_t>(node)]; }
  bool same_set(int64_t a, int64_t b) { return sets_.find(first_core(a)) == sets_.find(first_core(b)); }

  // The first core row of each node; subtrees that fit into eps become one set.
  void prepare(const KdNode& node) {
    if (node.is_leaf()) {
      const uint32_t cores = core_[static_cast<size_t>(node.leaf)];
      if (cores != 0) first_core_[static_cast<size_t>(node.id)] = node.leaf * kLeafRows + std::countr_zero(cores);
      uniform(node.id) = std::has_single_bit(cores) || cores == 0;
    } else {
      prepare(node.left());
      prepare(node.right());
      const int64_t left = first_core(node.left().id);
      first_core_[static_cast<size_t>(node.id)] = left >= 0 ? left : first_core(node.right().id);
      uniform(node.id) = first_core(node.id) < 0;
    }
    if (first_core(node.id) < 0 || is_uniform(node.id) || !within(node.id, node.id)) return;
    if (node.is_leaf()) {
      for (uint32_t cores = core_[static_cast<size_t>(node.leaf)]; cores != 0; cores &= cores - 1) {
        sets_.unite(first_core(node.id), node.leaf * kLeafRows + std::countr_zero(cores));
      }
    } else if (first_core(node.left().id) >= 0 && first_core(node.right().id) >= 0) {
      sets_.unite(first_core(node.left().id), first_core(node.right().id));
    }
    uniform(node.id) = 1;
  }

  // A node of one set stays of one set, so the flag may be set by whoever sees it.
  void settle(const KdNode& node) {
    const int64_t left = node.left().id, right = node.right().id;
    if (is_uniform(node.id) || !is_uniform(left) || !is_uniform(right)) return;
    if (first_core(left) < 0 || first_core(right) < 0 || same_set(left, right)) uniform(node.id).store(1, std::memory_order_relaxed);
  }
  void settle_leaf(int64_t leaf) {
    const int64_t node = node_of(leaf);
    if (is_uniform(node)) return;
    const int64_t root = sets_.find(first_core(node));
    for (uint32_t cores = core_[static_cast<size_t>(leaf)]; cores != 0; cores &= cores - 1) {
      if (sets_.find(leaf * kLeafRows + std::countr_zero(cores)) != root) return;
    }
    uniform(node).store(1, std::memory_order_relaxed);
  }

  // Joins leaf a with the leaves from a on.
  void unite_leaf(int64_t a, const KdNode& node) {
    const int64_t own = node_of(a);
    if (node.leaf + node.leaves <= a || first_core(node.id) < 0 || beyond(own, node.id)) return;
    if (!node.is_leaf()) settle(node);
    if (is_uniform(own) && is_uniform(node.id) && same_set(own, node.id)) return;
    if (node.is_leaf()) return unite_pair(a, node.leaf);
    unite_leaf(a, node.left());
    unite_leaf(a, node.right());
    settle(node);
  }
  void unite_pair(int64_t a, int64_t b) {
    const bool b_is_one = a != b && is_uniform(node_of(b));
    const bool both_are_one = b_is_one && is_uniform(node_of(a));
    const uint32_t cores_a = core_[static_cast<size_t>(a)], cores_b = core_[static_cast<size_t>(b)];
    for (uint32_t left = cores_a & near(a, b); left != 0; left &= left - 1) {
      const int q = std::countr_zero(left);
      for (uint32_t found = hits(a, q, b) & cores_b; found != 0; found &= found - 1) {
        sets_.unite(a * kLeafRows + q, b * kLeafRows + std::countr_zero(found));
        if (both_are_one) return;
        if (b_is_one) break;
      }
    }
    settle_leaf(a);
    settle_leaf(b);
  }

  // Of the border pass: the best labels so far of a leaf's rows that are not core.
  struct Border {
    int64_t leaf;
    int64_t node;
    uint32_t open;
    int32_t* best;
    int32_t worst = kNoCluster;  // of the best
  };
  void find_clusters(Border& border, const KdNode& node) const {
    if (lowest_[static_cast<size_t>(node.id)] >= border.worst || beyond(border.node, node.id)) return;
    if (!node.is_leaf()) {
      const bool right_first = border.leaf >= node.right().leaf;
      find_clusters(border, right_first ? node.right() : node.left());
      find_clusters(border, right_first ? node.left() : node.right());
      return;
    }
    for (uint32_t left = border.open & near(border.leaf, node.leaf); left != 0; left &= left - 1) {
      const int q = std::countr_zero(left);
      if (lowest_[static_cast<size_t>(node.id)] >= border.best[q]) continue;
      for (uint32_t found = hits(border.leaf, q, node.leaf) & core_[static_cast<size_t>(node.leaf)]; found != 0; found &= found - 1) {
        border.best[q] = std::min(border.best[q], label_[static_cast<size_t>(node.leaf * kLeafRows + std::countr_zero(found))]);
      }
    }
    border.worst = 0;
    for (uint32_t left = border.open; left != 0; left &= left - 1)
      border.worst = std::max(border.worst, border.best[std::countr_zero(left)]);
  }
  int32_t lowest_labels(const KdNode& node) {
    int32_t lowest = kNoCluster;
    if (node.is_leaf()) {
      for (int64_t p = node.leaf * kLeafRows, end = p + rows_in(node); p < end; ++p)
        lowest = std::min(lowest, label_[static_cast<size_t>(p)]);
    } else {
      lowest = lowest_labels(node.left());
      lowest = std::min(lowest, lowest_labels(node.right()));
    }
    lowest_[static_cast<size_t>(node.id)] = lowest;
    return lowest;
  }

  DbscanLabels labelled() {
    DbscanLabels out;
    std::vector<uint8_t> core(static_cast<size_t>(tree_.rows));
    for (int64_t p = 0; p < tree_.rows; ++p)
      core[static_cast<size_t>(p)] = (core_[static_cast<size_t>(p / kLeafRows)] >> (p % kLeafRows)) & 1;
    label_ = number_clusters(sets_, core, &tree_.row_of, out.n_clusters);
    lowest_.resize(static_cast<size_t>(tree_.nodes()));
    lowest_labels(tree_.root());
    // Core rows keep their label; those of other rows are found leaf by leaf, beside the labels that are searched.
    std::vector<int32_t> found = label_;
    each_leaf([&](int64_t a) {
      const uint32_t open = tree_.leaf_bits(a) & ~uint32_t{core_[static_cast<size_t>(a)]};
      Border border{a, node_of(a), open, found.data() + a * kLeafRows};
      if (open != 0) find_clusters(border, tree_.root());
    });
    share(found, kLeafRows);
    out.core.resize(core.size());
    out.labels.resize(core.size());
    for (size_t p = 0; p < core.size(); ++p) {
      const auto row = static_cast<size_t>(tree_.row_of[p]);
      out.core[row] = core[p];
      out.labels[row] = found[p] == kNoCluster ? -1 : found[p];
    }
    return out;
  }

  const KdTree& tree_;
  const DbscanTask& task_;
  Context& ctx_;
  BoxReach reach_;
  LeafMask mask_;
  std::vector<Mass> mass_, node_mass_;               // empty: each row counts 1
  std::vector<uint16_t> core_;                       // a bit a row, by leaf
  std::vector<int64_t> first_core_;                  // by node: a position, or -1
  std::unique_ptr<std::atomic<uint8_t>[]> uniform_;  // by node: its core rows are known to be of one set
  UnionFind sets_;
  std::vector<int64_t> leaf_node_;
  std::vector<int32_t> label_;   // by position: of core rows
  std::vector<int32_t> lowest_;  // by node
};

// The lowest label of the core rows within the limit of one point.
class PointSearch {
 public:
  PointSearch(const KdTree& tree, const DbscanTask& task, const std::vector<int32_t>& labels)
      : tree_(tree),
        limit_(task.limit),
        reach_(task.metric, tree.cols, task.limit),
        mask_(leaf_mask_for(task.metric, tree.cols)),
        label_(static_cast<size_t>(tree.rows)),
        lowest_(static_cast<size_t>(tree.nodes())) {
    for (size_t p = 0; p < label_.size(); ++p) label_[p] = labels[static_cast<size_t>(tree.row_of[p])];
    prepare(tree.root());
  }

  int32_t find(const double* point) const {
    int32_t best = kNoCluster;
    descend(point, tree_.root(), best);
    return best == kNoCluster ? -1 : best;
  }

 private:
  int32_t prepare(const KdNode& node) {
    int32_t lowest = kNoCluster;
    if (node.is_leaf()) {
      for (int64_t i = 0; i < tree_.leaf_size(node.leaf); ++i)
        lowest = std::min(lowest, label_[static_cast<size_t>(node.leaf * kLeafRows + i)]);
    } else {
      lowest = prepare(node.left());
      lowest = std::min(lowest, prepare(node.right()));
    }
    return lowest_[static_cast<size_t>(node.id)] = lowest;
  }
  void descend(const double* point, const KdNode& node, int32_t& best) const {
    if (lowest_[static_cast<size_t>(node.id)] >= best || reach_.beyond(point, point, tree_.low(node.id), tree_.high(node.id))) return;
    if (!node.is_leaf()) {
      descend(point, node.left(), best);
      descend(point, node.right(), best);
      return;
    }
    for (uint32_t found = mask_(point, 1, tree_.leaf(node.leaf), tree_.cols, limit_) & tree_.leaf_bits(node.leaf); found != 0;
         found &= found - 1) {
      best = std::min(best, label_[static_cast<size_t>(node.leaf * kLeafRows + std::countr_zero(found))]);
    }
  }

  const KdTree& tree_;
  double limit_;
  BoxReach reach_;
  LeafMask mask_;
  std::vector<int32_t> label_;
  std::vector<int32_t> lowest_;
};

}  // namespace

bool tree_serves(kernels::Metric metric, int64_t rows, int64_t cols, const Context& ctx) {
  if (metric == kernels::Metric::kCosine) return false;
  return kd_tree_bytes(rows, cols) + 40 * rows <= ctx.memory / 2;
}

std::optional<DbscanLabels> dbscan_by_tree(const DbscanTask& task, bool always, Context& ctx) {
  ctx.stage("kd-tree");
  const KdTree tree = tree_on_each_rank(task.rows, ctx);
  TreeDbscan dbscan(tree, task, ctx);
  if (!always && !dbscan.prunes()) return std::nullopt;
  return dbscan.run();
}

RowColumn<int32_t> assign_by_tree(const DbscanTask& task, const Source& cores, const std::vector<int32_t>& labels, Context& ctx) {
  const KdTree tree = tree_on_each_rank(cores, ctx);
  const PointSearch search(tree, task, labels);
  RowColumn<int32_t> out(leaf_range(task.rows.rows(), task.rows.cols(), ctx), -1);
  std::vector<std::vector<double>> scratch(static_cast<size_t>(worker_count(ctx)), std::vector<double>(static_cast<size_t>(tree.cols)));
  map(task.rows, ctx, [&](int worker, const MatrixBlock& leaf) {
    for (int64_t i = 0; i < leaf.rows; ++i) out[leaf.first_row + i] = search.find(leaf.row(i, scratch[static_cast<size_t>(worker)].data()));
  });
  return out;
}

}  // namespace sluice::detail
