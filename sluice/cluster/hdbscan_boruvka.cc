// The spanning tree of mutual reach over a kd-tree, leaf by leaf, by Boruvka's rounds, in each of which every component
// looks for its shortest edge out. Boxes that hold nothing but one component are skipped by its rows; a row remembers the edge it found, or
// how far it has looked in vain, so that most rows look only a few times. March, Ram and Gray 2010, doi:10.1145/1835804.1835882.
//
// What prunes may depend on the order of threads, what is found does not: a subtree is left out only when every edge into it comes behind
// one already known.
#include <atomic>
#include <bit>

#include "sluice/cluster/hdbscan_boxes.h"

namespace sluice::detail {
namespace {

class TreeBoruvka {
 public:
  TreeBoruvka(const KdTree& tree, const Boxes& boxes, const ReachTask& task, std::vector<double> core, const Context& ctx)
      : tree_(tree),
        boxes_(boxes),
        task_(task),
        ctx_(ctx),
        distances_(leaf_distances_for(task.metric(), tree.cols)),
        core_(std::move(core)),
        least_core_(static_cast<size_t>(tree.nodes())),
        component_(static_cast<size_t>(tree.rows)),
        node_component_(static_cast<size_t>(tree.nodes())),
        rows_(static_cast<size_t>(tree.rows)),
        bound_(new std::atomic<double>[static_cast<size_t>(tree.rows)]) {
    for (int64_t p = 0; p < tree.rows; ++p) {
      component_[static_cast<size_t>(p)] = static_cast<int32_t>(p);
      rows_[static_cast<size_t>(p)].at_least = core_[static_cast<size_t>(p)];
    }
    up([&](int64_t p) { return core_[static_cast<size_t>(p)]; }, [](double a, double b) { return std::min(a, b); }, least_core_);
  }

  std::vector<ReachEdge> run() {
    std::vector<ReachEdge> edges;
    edges.reserve(static_cast<size_t>(tree_.rows));
    int64_t components = tree_.rows;
    ctx_.stage("spanning tree", tree_.rows - 1);
    while (components > 1) {
      up([&](int64_t p) { return component_[static_cast<size_t>(p)]; }, [](int32_t a, int32_t b) { return a == b ? a : kMixed; },
         node_component_);
      for (int64_t c = 0; c < components; ++c) bound_[static_cast<size_t>(c)].store(kInfinity, std::memory_order_relaxed);
      in_pieces(tree_.rows, kPieceLeaves * kLeafRows, ctx_, [&](int, int64_t first, int64_t last) {
        for (int64_t p = first; p < last; ++p) recall(p);
      });
      in_pieces(tree_.leaves, kPieceLeaves, ctx_, [&](int, int64_t first, int64_t last) {
        for (int64_t a = first; a < last; ++a) look(a);
      });
      components = join(shortest(components), edges);
      ctx_.step(static_cast<int64_t>(edges.size()));
    }
    std::sort(edges.begin(), edges.end(), before);
    return edges;
  }

 private:
  static constexpr int32_t kMixed = -1;
  // What a row knows of its edges to other components.
  struct Row {
    double reach = kInfinity, distance = kInfinity;  // of the edge to `other`
    double at_least = 0;                             // no other edge is shorter
    int32_t other = -1;                              // position
    bool first = false;                              // it is the first of all in their order
  };

  // A value of each node from those of its rows.
  template <class T, class Of, class Join>
  void up(Of&& of, Join&& join, std::vector<T>& out) const {
    for (int64_t id = tree_.nodes() - 1; id >= 0; --id) {
      const KdNode& node = boxes_.nodes()[static_cast<size_t>(id)];
      if (!node.is_leaf()) {
        out[static_cast<size_t>(id)] = join(out[static_cast<size_t>(node.left().id)], out[static_cast<size_t>(node.right().id)]);
        continue;
      }
      const int64_t begin = node.leaf * kLeafRows, end = begin + tree_.leaf_size(node.leaf);
      T value = of(begin);
      for (int64_t p = begin + 1; p < end; ++p) value = join(value, of(p));
      out[static_cast<size_t>(id)] = value;
    }
  }

  std::atomic<double>& bound_of(int64_t p) { return bound_[static_cast<size_t>(component_[static_cast<size_t>(p)])]; }
  void lower_bound(int64_t p, double reach) {
    std::atomic<double>& bound = bound_of(p);
    double seen = bound.load(std::memory_order_relaxed);
    while (reach < seen && !bound.compare_exchange_weak(seen, reach, std::memory_order_relaxed)) {
    }
  }
  ReachEdge edge(int64_t p, int64_t q, double reach, double distance) const {
    const int64_t a = tree_.row_of[static_cast<size_t>(p)], b = tree_.row_of[static_cast<size_t>(q)];
    return {reach, distance, std::min(a, b), std::max(a, b)};
  }

  // Drops what has become an edge within a component; the rest bounds the component's search.
  void recall(int64_t p) {
    Row& row = rows_[static_cast<size_t>(p)];
    if (row.other < 0) return;
    if (component_[static_cast<size_t>(row.other)] == component_[static_cast<size_t>(p)]) {
      if (row.first) row.at_least = row.reach;
      row.other = -1;
      row.first = false;
      row.reach = row.distance = kInfinity;
    } else {
      lower_bound(p, row.reach);
    }
  }

  struct Look {
    int64_t leaf, node;
    uint32_t open;             // rows that search
    int32_t component;         // of all of them, or kMixed
    double least_core;         // of them
    double limit = kInfinity;  // no row cares for longer edges
  };
  void look(int64_t a) {
    Look look{a, boxes_.node_of(a), 0, kMixed, kInfinity};
    const int64_t begin = a * kLeafRows;
    for (int64_t q = 0; q < tree_.leaf_size(a); ++q) {
      const Row& row = rows_[static_cast<size_t>(begin + q)];
      if (row.first || row.at_least > bound_of(begin + q).load(std::memory_order_relaxed)) continue;
      const int32_t component = component_[static_cast<size_t>(begin + q)];
      look.component = look.open == 0 || look.component == component ? component : kMixed;
      look.open |= uint32_t{1} << q;
      look.least_core = std::min(look.least_core, core_[static_cast<size_t>(begin + q)]);
    }
    if (look.open == 0) return;
    narrow(look);
    visit(look, tree_.root(), 0);
    for (uint32_t left = look.open; left != 0; left &= left - 1) {
      const int64_t p = begin + std::countr_zero(left);
      Row& row = rows_[static_cast<size_t>(p)];
      // Nothing was left out for the component's sake that could come before an edge as short as its bound.
      const double bound = bound_of(p).load(std::memory_order_relaxed);
      row.first = row.other >= 0 && row.reach <= bound;
      row.at_least = std::max(row.at_least, std::min(row.reach, bound));
    }
  }
  void narrow(Look& look) {
    look.limit = 0;
    for (uint32_t left = look.open; left != 0; left &= left - 1) {
      const int64_t p = look.leaf * kLeafRows + std::countr_zero(left);
      look.limit = std::max(look.limit, std::min(rows_[static_cast<size_t>(p)].reach, bound_of(p).load(std::memory_order_relaxed)));
    }
  }
  void visit(Look& look, const KdNode& node, double gap) {
    const int32_t component = node_component_[static_cast<size_t>(node.id)];
    if (component != kMixed && component == look.component) return;
    const double least = std::max(std::max(task_.scaled(gap), least_core_[static_cast<size_t>(node.id)]), look.least_core);
    if (least > look.limit) return;
    if (node.is_leaf()) return compare(look, node, component);
    KdNode near = node.left(), far = node.right();
    double near_gap = boxes_.gap(look.node, near.id), far_gap = boxes_.gap(look.node, far.id);
    const bool swap = far_gap < near_gap || (far_gap == near_gap && look.leaf >= node.right().leaf);
    if (swap) std::swap(near, far), std::swap(near_gap, far_gap);
    visit(look, near, near_gap);
    visit(look, far, far_gap);
  }
  void compare(Look& look, const KdNode& node, int32_t component) {
    double gaps[kLeafRows];
    alignas(32) double value[kLeafRows];
    boxes_.gaps(look.leaf, node.id, gaps);
    const double least_core = least_core_[static_cast<size_t>(node.id)];
    bool better = false;
    for (uint32_t left = look.open; left != 0; left &= left - 1) {
      const int q = std::countr_zero(left);
      const int64_t p = look.leaf * kLeafRows + q;
      Row& row = rows_[static_cast<size_t>(p)];
      if (component == component_[static_cast<size_t>(p)]) continue;
      const double least = task_.reach(core_[static_cast<size_t>(p)], least_core, gaps[q]);
      if (least > bound_of(p).load(std::memory_order_relaxed) || least > row.reach || (least == row.reach && gaps[q] > row.distance))
        continue;
      distances_(tree_.leaf(look.leaf) + q, kLeafRows, tree_.leaf(node.leaf), tree_.cols, value);
      better = take(p, row, node.leaf, value) || better;
    }
    if (better) narrow(look);
  }
  // The best of a leaf's rows at these distances, if it is better.
  bool take(int64_t p, Row& row, int64_t leaf, const double* value) {
    const int32_t own = component_[static_cast<size_t>(p)];
    const double core = core_[static_cast<size_t>(p)];
    bool better = false;
    for (int64_t v = 0, size = tree_.leaf_size(leaf); v < size; ++v) {
      const int64_t other = leaf * kLeafRows + v;
      if (component_[static_cast<size_t>(other)] == own) continue;
      const double reach = task_.reach(core, core_[static_cast<size_t>(other)], value[v]);
      if (reach > row.reach || (reach == row.reach && value[v] > row.distance)) continue;
      if (reach == row.reach && value[v] == row.distance && row.other >= 0 &&
          !before(edge(p, other, reach, value[v]), edge(p, row.other, row.reach, row.distance))) {
        continue;
      }
      row.reach = reach;
      row.distance = value[v];
      row.other = static_cast<int32_t>(other);
      better = true;
    }
    if (better) lower_bound(p, row.reach);
    return better;
  }

  // Each component's first edge, in the order of edges.
  std::vector<ReachEdge> shortest(int64_t components) {
    std::vector<ReachEdge> best(static_cast<size_t>(components));
    for (int64_t p = 0; p < tree_.rows; ++p) {
      const Row& row = rows_[static_cast<size_t>(p)];
      ReachEdge& mine = best[static_cast<size_t>(component_[static_cast<size_t>(p)])];
      if (row.other < 0 || row.reach > mine.reach) continue;
      const ReachEdge found = edge(p, row.other, row.reach, row.distance);
      if (before(found, mine)) mine = found;
    }
    return best;
  }
  // Adds the edges and numbers the components anew; returns how many are left.
  int64_t join(const std::vector<ReachEdge>& best, std::vector<ReachEdge>& edges) {
    if (position_.empty()) {
      position_.resize(static_cast<size_t>(tree_.rows));
      for (int64_t p = 0; p < tree_.rows; ++p)
        position_[static_cast<size_t>(tree_.row_of[static_cast<size_t>(p)])] = static_cast<int32_t>(p);
    }
    const auto component_of_row = [&](int64_t row) { return component_[static_cast<size_t>(position_[static_cast<size_t>(row)])]; };
    Sets sets(static_cast<int64_t>(best.size()));
    for (const ReachEdge& e : best) {
      if (sets.unite(component_of_row(e.low), component_of_row(e.high))) edges.push_back(e);
    }
    std::vector<int32_t> number(best.size(), -1);
    int32_t count = 0;
    for (size_t c = 0; c < best.size(); ++c) {
      if (sets.find(static_cast<int64_t>(c)) == static_cast<int64_t>(c)) number[c] = count++;
    }
    for (size_t c = 0; c < best.size(); ++c) number[c] = number[static_cast<size_t>(sets.find(static_cast<int64_t>(c)))];
    for (int32_t& c : component_) c = number[static_cast<size_t>(c)];
    return count;
  }

  const KdTree& tree_;
  const Boxes& boxes_;
  const ReachTask& task_;
  const Context& ctx_;
  LeafDistances distances_;
  std::vector<double> core_, least_core_;  // by position, by node
  std::vector<int32_t> component_, node_component_;
  std::vector<Row> rows_;                         // by position
  std::unique_ptr<std::atomic<double>[]> bound_;  // of each component: an edge as short is known
  std::vector<int32_t> position_;                 // of each row
};

}  // namespace

std::optional<SpanningTree> spanning_by_tree(const ReachTask& task, bool always, const Context& ctx) {
  const KdTree tree = build_kd_tree(task.rows(), ctx);
  const Boxes boxes(tree, task.metric());
  std::optional<std::vector<double>> core = core_by_tree(tree, boxes, task, always, ctx);
  if (!core) return std::nullopt;
  SpanningTree out;
  out.core.resize(core->size());
  for (size_t p = 0; p < core->size(); ++p) out.core[static_cast<size_t>(tree.row_of[p])] = (*core)[p];
  out.edges = TreeBoruvka(tree, boxes, task, *std::move(core), ctx).run();
  return out;
}

}  // namespace sluice::detail
