// The spanning tree of mutual reach over all pairs, for many columns. The nearest rows of each row give the core distances, and the first of
// Boruvka's rounds for nothing: an edge shorter than all that a list may lack is surely a component's shortest. What is left takes passes over
// all pairs in float32 (kernels/pairs.h), each within what its components still care for; rows lie sorted by component, and blocks of one
// component are skipped.
#include <atomic>
#include <mutex>
#include <numeric>

#include "sluice/cluster/hdbscan_parts.h"
#include "sluice/kernels/dist64.h"
#include "sluice/kernels/pairs.h"
#include "sluice/neighbors/knn.h"

namespace sluice::detail {
namespace {

constexpr int64_t kLeastListed = 16;  // nearest rows a row
constexpr int64_t kBlockRows = 512;
constexpr int64_t kRepresentatives = 64;

kernels::PairPlan plan_for(const ReachTask& task) {
  std::vector<double> shift;
  double widest = 0;
  for (const ColumnStatistics& column : task.rows().stats.columns) {
    const double middle = column.min + (column.max - column.min) / 2;
    shift.push_back(middle);
    widest = std::max({widest, std::fabs(column.max - middle), std::fabs(column.min - middle)});
  }
  int exponent = 0;
  std::frexp(widest, &exponent);
  return {task.metric(), task.rows().cols(), shift.data(), exponent + 1};
}

class PairsBoruvka {
 public:
  PairsBoruvka(const ReachTask& task, const Context& ctx)
      : task_(task),
        ctx_(ctx),
        n_(task.rows().rows()),
        rows_(load(task.rows())),
        all_(rows_->read(0, n_, buffer_)),
        component_(static_cast<size_t>(n_)),
        components_(n_) {
    std::iota(component_.begin(), component_.end(), 0);
  }

  SpanningTree run() {
    list_nearest();
    ctx_.stage("spanning tree", n_ - 1);
    while (components_ > 1 && by_lists()) {
    }
    lists_ = {};
    while (components_ > 1) by_pairs();
    std::sort(tree_.edges.begin(), tree_.edges.end(), before);
    return std::move(tree_);
  }

 private:
  double raw(int64_t a, int64_t b, double* scratch) const {
    const double* to = all_.row(b, scratch);
    const kernels::Metric metric = task_.metric();
    if (all_.dtype == DType::kF64)
      return kernels::distance64(metric, static_cast<const double*>(all_.data) + a * all_.stride, to, all_.cols);
    return kernels::distance64(metric, static_cast<const float*>(all_.data) + a * all_.stride, to, all_.cols);
  }
  double core(int64_t row) const { return tree_.core[static_cast<size_t>(row)]; }
  int32_t component(int64_t row) const { return component_[static_cast<size_t>(row)]; }
  ReachEdge edge(int64_t a, int64_t b, double distance) const {
    return {task_.reach(core(a), core(b), distance), distance, std::min(a, b), std::max(a, b)};
  }

  // Nearest rows by exact distances, and the core distances from them.
  void list_nearest() {
    tree_.core.assign(static_cast<size_t>(n_), 0.0);
    if (n_ < 2) return;
    Context alone = ctx_;
    const int64_t k = std::min(n_ - 1, std::max(task_.min_samples() - 1, kLeastListed));
    lists_ = knn_graph(task_.rows(), k, task_.metric(), alone, NeighborWay::kBrute);
    in_pieces(n_, kBlockRows, ctx_, [&](int, int64_t first, int64_t last) {
      std::vector<double> scratch(static_cast<size_t>(all_.cols));
      for (int64_t i = first; i < last; ++i) {
        for (int64_t t = i * k; t < (i + 1) * k; ++t)
          lists_.distances[static_cast<size_t>(t)] = raw(i, lists_.indices[static_cast<size_t>(t)], scratch.data());
        if (task_.min_samples() > 1) tree_.core[static_cast<size_t>(i)] = lists_.distance(i)[task_.min_samples() - 2];
      }
    });
  }

  // One round over the lists. False when it proves no edge.
  bool by_lists() {
    std::vector<ReachEdge> best(static_cast<size_t>(components_)), unseen(best.size());
    for (int64_t i = 0; i < n_; ++i) {
      const auto c = static_cast<size_t>(component(i));
      const double* distance = lists_.distance(i);
      if (lists_.k < n_ - 1) {
        const double farthest = distance[lists_.k - 1];
        const ReachEdge first_missed{std::max(core(i), task_.scaled(farthest)), farthest, -1, -1};  // comes before all that are missed
        if (before(first_missed, unseen[c])) unseen[c] = first_missed;
      }
      for (int64_t t = 0; t < lists_.k; ++t) {
        const int64_t other = lists_.row(i)[t];
        if (component(other) == component(i)) continue;
        const ReachEdge found = edge(i, other, distance[t]);
        if (before(found, best[c])) best[c] = found;
      }
    }
    bool any = false;
    for (size_t c = 0; c < best.size(); ++c) {
      if (before(best[c], unseen[c])) {
        any = true;
      } else {
        best[c] = {};
      }
    }
    if (any) join(best);
    return any;
  }

  // Some edge out of each component: to the rows of others that stand for them.
  std::vector<ReachEdge> first_guesses() {
    std::vector<int64_t> stands_for(static_cast<size_t>(components_), -1);  // the row of least core distance
    for (int64_t i = 0; i < n_; ++i) {
      int64_t& row = stands_for[static_cast<size_t>(component(i))];
      if (row < 0 || core(i) < core(row)) row = i;
    }
    std::vector<ReachEdge> best(stands_for.size());
    in_pieces(components_, 64, ctx_, [&](int, int64_t first, int64_t last) {
      std::vector<double> scratch(static_cast<size_t>(all_.cols));
      const int64_t step = (components_ + kRepresentatives - 1) / kRepresentatives;
      for (int64_t c = first; c < last; ++c) {
        for (int64_t other = c % step; other < components_ + step; other += step) {
          const int64_t to = std::min(other, components_ - 1);
          if (to == c) continue;
          const int64_t a = stands_for[static_cast<size_t>(c)], b = stands_for[static_cast<size_t>(to)];
          const ReachEdge found = edge(a, b, raw(a, b, scratch.data()));
          if (before(found, best[static_cast<size_t>(c)])) best[static_cast<size_t>(c)] = found;
        }
      }
    });
    return best;
  }

  // One round over all pairs of rows.
  void by_pairs() {
    Round round(*this);
    const int64_t blocks = (n_ + kBlockRows - 1) / kBlockRows;
    std::vector<kernels::PairScratch> scratch(static_cast<size_t>(ctx_.threads));
    in_pieces(blocks, 1, ctx_, [&](int worker, int64_t a, int64_t) {
      for (int64_t b = a; b < blocks; ++b) round.compare(a, b, scratch[static_cast<size_t>(worker)]);
    });
    join(round.best);
  }

  struct Round {
    explicit Round(PairsBoruvka& of)
        : of(of),
          order(static_cast<size_t>(of.n_)),
          best(of.first_guesses()),
          bound(new std::atomic<double>[best.size()]),
          plan(plan_for(of.task_)) {
      for (size_t c = 0; c < best.size(); ++c) bound[c].store(best[c].reach, std::memory_order_relaxed);
      std::iota(order.begin(), order.end(), int64_t{0});
      std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return of.component(a) < of.component(b); });
      const size_t width = size_of(of.all_.dtype) * static_cast<size_t>(of.all_.cols);
      std::byte* to = sorted.reserve(width * order.size());
      in_pieces(of.n_, kBlockRows, of.ctx_, [&](int, int64_t first, int64_t last) {
        for (int64_t i = first; i < last; ++i) {
          const auto* from = static_cast<const std::byte*>(of.all_.slice(order[static_cast<size_t>(i)], 1).data);
          std::copy(from, from + width, to + static_cast<size_t>(i) * width);
        }
      });
      rows = of.all_;
      rows.data = to;
      rows.stride = of.all_.cols;
    }

    MatrixBlock block(int64_t number) const {
      return rows.slice(number * kBlockRows, std::min(kBlockRows, rows.rows - number * kBlockRows));
    }
    // What the rows of a block still care for.
    double widest(int64_t first, int64_t count) const {
      double most = 0;
      for (int64_t i = first; i < first + count; ++i)
        most = std::max(most, bound[static_cast<size_t>(component_at(i))].load(std::memory_order_relaxed));
      return most;
    }
    int32_t component_at(int64_t place) const { return of.component(order[static_cast<size_t>(place)]); }

    void compare(int64_t a, int64_t b, kernels::PairScratch& scratch) {
      const MatrixBlock left = block(a), right = block(b);
      const int64_t at_a = a * kBlockRows, at_b = b * kBlockRows;
      if (component_at(at_a) == component_at(at_b + right.rows - 1)) return;  // sorted: all between are it too
      const double limit = of.task_.unscaled(std::max(widest(at_a, left.rows), widest(at_b, right.rows)));
      std::vector<double> wide(static_cast<size_t>(rows.cols));
      plan.visit_within(
          left.view(), right.view(), limit,
          [&](int64_t i, int64_t j) {
            if (component_at(at_a + i) != component_at(at_b + j))
              offer(order[static_cast<size_t>(at_a + i)], order[static_cast<size_t>(at_b + j)], wide.data());
          },
          scratch);
    }
    void offer(int64_t p, int64_t q, double* wide) {
      const auto c = static_cast<size_t>(of.component(p)), e = static_cast<size_t>(of.component(q));
      const double most = std::max(bound[c].load(std::memory_order_relaxed), bound[e].load(std::memory_order_relaxed));
      if (std::max(of.core(p), of.core(q)) > most) return;
      const ReachEdge found = of.edge(p, q, of.raw(p, q, wide));
      if (found.reach > most) return;
      const std::lock_guard lock(mutex);
      for (const size_t side : {c, e}) {
        if (!before(found, best[side])) continue;
        best[side] = found;
        bound[side].store(found.reach, std::memory_order_relaxed);
      }
    }

    PairsBoruvka& of;
    std::vector<int64_t> order;  // rows by component
    std::vector<ReachEdge> best;
    std::unique_ptr<std::atomic<double>[]> bound;  // best's reaches
    kernels::PairPlan plan;
    BlockBuffer sorted;
    MatrixBlock rows;
    std::mutex mutex;
  };

  void join(const std::vector<ReachEdge>& best) {
    Sets sets(components_);
    for (const ReachEdge& e : best) {
      if (e.low >= 0 && sets.unite(component(e.low), component(e.high))) tree_.edges.push_back(e);
    }
    std::vector<int32_t> number(best.size());
    int32_t count = 0;
    for (size_t c = 0; c < number.size(); ++c) {
      const auto root = static_cast<size_t>(sets.find(static_cast<int64_t>(c)));
      number[c] = root == c ? count++ : number[root];  // a root is the least of its set
    }
    for (int32_t& c : component_) c = number[static_cast<size_t>(c)];
    components_ = count;
    ctx_.step(static_cast<int64_t>(tree_.edges.size()));
  }

  const ReachTask& task_;
  const Context& ctx_;
  int64_t n_;
  BlockBuffer buffer_;
  std::unique_ptr<MemorySource> rows_;
  MatrixBlock all_;
  Neighbors lists_;
  SpanningTree tree_;
  std::vector<int32_t> component_;  // of each row
  int64_t components_;
};

}  // namespace

SpanningTree spanning_by_pairs(const ReachTask& task, const Context& ctx) {
  return PairsBoruvka(task, ctx).run();
}

}  // namespace sluice::detail
