// DBSCAN over all pairs of row blocks (kernels/pairs.h), each unordered pair of blocks once, for any number of columns and rows in a file.
// While few pairs are within eps they are kept in a list of bounded length, and one pass over the pairs is all. Once the list overflows it
// is dropped, rows that have enough neighbours are no longer counted, and two more passes find sets and borders, without the pairs that are
// known to be of one set. So either the neighbours are few or most of the work falls away.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>

#include "sluice/cluster/dbscan_parts.h"
#include "sluice/core/fold.h"
#include "sluice/kernels/pairs.h"

namespace sluice::detail {
namespace {

constexpr int64_t kKeptPairs = 16;      // most kept pairs, a row
constexpr int64_t kOwnStripRows = 512;  // rows counted before those that have enough fall out
constexpr int64_t kStripRows = 256;     // rows joined before the sets are looked at again

kernels::PairPlan plan_for(const DbscanTask& task) {
  std::vector<double> shift;
  double widest = 0;
  for (const ColumnStatistics& column : task.rows.stats.columns) {
    const double middle = column.min + (column.max - column.min) / 2;
    shift.push_back(middle);
    widest = std::max({widest, std::fabs(column.max - middle), std::fabs(column.min - middle)});
  }
  int exponent = 0;
  std::frexp(widest, &exponent);
  return {task.metric, task.rows.cols(), shift.data(), exponent + 1};
}

// Row numbers within a block.
using Picked = std::vector<int32_t>;

template <class Want>
void pick(int64_t rows, Picked& out, Want&& want) {
  out.clear();
  for (int64_t i = 0; i < rows; ++i) {
    if (want(i)) out.push_back(static_cast<int32_t>(i));
  }
}

// The picked rows of a block as rows of their own.
kernels::RowsView view_of(const MatrixBlock& block, std::span<const int32_t> picked, BlockBuffer& buffer) {
  if (static_cast<int64_t>(picked.size()) == block.rows) return block.view();
  const size_t row_bytes = static_cast<size_t>(block.cols) * size_of(block.dtype);
  std::byte* to = buffer.reserve(picked.size() * row_bytes + 64);
  for (size_t i = 0; i < picked.size(); ++i) {
    std::memcpy(to + i * row_bytes,
                static_cast<const std::byte*>(block.data) + static_cast<size_t>(picked[i] * block.stride) * size_of(block.dtype),
                row_bytes);
  }
  return {to, block.dtype == DType::kF64, static_cast<int64_t>(picked.size()), block.cols, block.cols};
}

// Of cosine below distance 1: the rows without a direction, a flag each, on every rank. Else empty.
std::vector<uint8_t> zero_rows(const DbscanTask& task, Context& ctx) {
  if (task.metric != kernels::Metric::kCosine || task.limit >= 1) return {};
  RowColumn<uint8_t> zero(leaf_range(task.rows.rows(), task.rows.cols(), ctx), 0);
  map(task.rows, ctx, [&](int, const MatrixBlock& leaf) {
    for (int64_t i = 0; i < leaf.rows; ++i) {
      const double* x = leaf.view().f64(i);  // a NormalisedSource delivers float64
      zero[leaf.first_row + i] = std::all_of(x, x + leaf.cols, [](double v) { return v == 0; });
    }
  });
  return gather(zero, ctx);
}

class PairsDbscan {
 public:
  PairsDbscan(const DbscanTask& task, Context& ctx)
      : task_(task),
        ctx_(ctx),
        plan_(plan_for(task)),
        range_(leaf_range(task.rows.rows(), task.rows.cols(), ctx)),
        workers_(static_cast<size_t>(worker_count(ctx))),
        high_(new std::atomic<int64_t>[static_cast<size_t>(range_.rows)]()),
        low_(task.mass.weighted() ? new std::atomic<int64_t>[static_cast<size_t>(range_.rows)]() : nullptr),
        sets_(range_.rows) {
    const int64_t budget = std::min(kKeptPairs * range_.rows, ctx.memory / 64 / static_cast<int64_t>(sizeof(Pair)));
    kept_a_worker_ = static_cast<size_t>(std::max<int64_t>(budget, 1024) / worker_count(ctx));
  }

  DbscanLabels run() {
    DbscanLabels out;
    ctx_.stage("core rows", range_.last - range_.first);
    weigh();
    zero_ = zero_rows(task_, ctx_);
    for_each_leaf(range_, ctx_, [&](int worker, int64_t a) { count_own(workers_[static_cast<size_t>(worker)], a); });
    share_enough();
    each_tile(1, [&](Worker& w, int64_t a, int64_t b) { count_tile(w, a, b); });
    core_ = core_flags();
    const bool kept = ctx_.ranks() == 1 ? keep_.load() : all_min(*ctx_.comm, keep_.load() ? 1 : 0) != 0;
    ctx_.stage("clusters", range_.last - range_.first);
    if (kept) {
      each_kept([&](const Pair& pair) {
        if (core_[pair.a] != 0 && core_[pair.b] != 0) sets_.unite(pair.a, pair.b);
      });
    } else {
      for (Worker& w : workers_) w.kept = {};
      each_tile(0, [&](Worker& w, int64_t a, int64_t b) { unite_tile(w, a, b); });
    }
    unite_zero_rows();
    sets_.join_ranks(ctx_);
    out.labels = number_clusters(sets_, core_, nullptr, out.n_clusters);
    join_borders(kept, out.labels);
    out.core = std::move(core_);
    return out;
  }

 private:
  struct Pair {
    uint32_t a, b;
  };
  struct Worker {
    BlockBuffer buffer[2], picked[2];
    MatrixBlock block[2];
    int64_t held[2] = {-1, -1};
    kernels::PairScratch scratch;
    Picked open_a, open_b, rest;
    std::vector<Mass> sum_a, sum_b;
    std::vector<uint8_t> met_itself;
    std::vector<int64_t> counts, root_a, root_b;
    std::vector<Pair> kept;
  };

  int64_t first_row(int64_t block) const { return block * range_.rows_per_leaf; }
  int64_t rows_in(int64_t block) const { return std::min(range_.rows_per_leaf, range_.rows - first_row(block)); }
  const MatrixBlock& read(Worker& w, int side, int64_t block) {
    if (w.held[side] != block) {
      w.held[side] = -1;
      w.block[side] = task_.rows.read(first_row(block), rows_in(block), w.buffer[side]);
      w.held[side] = block;
    }
    return w.block[side];
  }

  // f(worker, a, b) for each unordered pair of blocks once, a = b if first is 0; each block a has as many as any other.
  template <class F>
  void each_tile(int64_t first, F&& f) {
    std::atomic<int64_t> done{0};
    for_each_leaf(range_, ctx_, [&](int worker, int64_t a) {
      for (int64_t t = first; t <= range_.leaves / 2; ++t) {
        if (2 * t == range_.leaves && a >= t) break;
        if (ctx_.stopped()) fail(ErrorCode::kInterrupted, "run", "stopped on request", "run the same command again to go on");
        f(workers_[static_cast<size_t>(worker)], a, (a + t) % range_.leaves);
      }
      const int64_t now = ++done;
      if (worker == 0) ctx_.step(now);
    });
  }
  template <class F>
  void each_kept(F&& f) {
    for (const Worker& w : workers_) std::for_each(w.kept.begin(), w.kept.end(), f);
  }

  void weigh() {
    if (!task_.mass.weighted()) return;
    RowColumn<Mass> mine(range_, Mass{});
    map(task_.rows, ctx_, [&](int, const MatrixBlock& leaf) {
      for (int64_t i = 0; i < leaf.rows; ++i) mine[leaf.first_row + i] = task_.mass.of(leaf.weight(i));
    });
    mass_ = gather(mine, ctx_);
  }
  Mass mass_of(int64_t row) const { return mass_.empty() ? Mass{1, 0} : mass_[static_cast<size_t>(row)]; }
  Mass sum_of(int64_t row) const {
    const auto i = static_cast<size_t>(row);
    return {high_[i].load(std::memory_order_relaxed), low_ ? low_[i].load(std::memory_order_relaxed) : 0};
  }
  void add_sums(int64_t first, std::vector<Mass>& sums) {
    for (size_t i = 0; i < sums.size(); ++i) {
      const size_t row = static_cast<size_t>(first) + i;
      if (sums[i].high != 0) high_[row].fetch_add(sums[i].high, std::memory_order_relaxed);
      if (sums[i].low != 0) low_[row].fetch_add(sums[i].low, std::memory_order_relaxed);
    }
    sums.clear();
  }

  bool keeping(Worker& w) {
    if (keep_.load(std::memory_order_relaxed)) return true;
    if (w.kept.capacity() > 0) w.kept = {};
    return false;
  }
  void keep(Worker& w, int64_t a, int64_t b) {
    if (w.kept.size() < kept_a_worker_) {
      w.kept.push_back({static_cast<uint32_t>(a), static_cast<uint32_t>(b)});
    } else if (keep_.load(std::memory_order_relaxed)) {
      keep_.store(false, std::memory_order_relaxed);
    }
  }
  bool has_enough(int64_t row) const {
    return (!enough_.empty() && enough_[static_cast<size_t>(row)] != 0) || task_.mass.enough(sum_of(row));
  }
  // What a row has within its own block, its owner alone knows so far.
  void share_enough() {
    if (ctx_.ranks() == 1) return;
    RowColumn<uint8_t> mine(range_, 0);
    for (int64_t row = mine.first_row(); row < mine.last_row(); ++row) mine[row] = has_enough(row);
    enough_ = gather(mine, ctx_);
  }
  // The rows of a block that have not enough yet; all, while pairs are kept.
  void pick_open(int64_t block, bool all, Picked& out) {
    pick(rows_in(block), out, [&](int64_t i) { return all || !has_enough(first_row(block) + i); });
  }

  // A block against itself, before all else and in strips, between which rows that have enough fall out, or the list is given up.
  void count_own(Worker& w, int64_t a) {
    const MatrixBlock& rows = read(w, 0, a);
    const int64_t first = first_row(a), step = kOwnStripRows;
    w.met_itself.assign(static_cast<size_t>(rows.rows), 0);
    for (int64_t strip = 0; strip < rows.rows; strip += step) {
      const bool keeps = keeping(w);
      pick_open(a, keeps, w.open_a);
      if (w.open_a.empty()) return;
      const MatrixBlock others = rows.slice(strip, std::min(step, rows.rows - strip));
      w.sum_a.assign(static_cast<size_t>(rows.rows), Mass{});
      plan_.visit_within(
          view_of(rows, w.open_a, w.picked[0]), others.view(), task_.limit,
          [&](int64_t i, int64_t j) {
            const int64_t row = w.open_a[static_cast<size_t>(i)], other = strip + j;
            w.sum_a[static_cast<size_t>(row)] += mass_of(first + other);
            if (row == other) w.met_itself[static_cast<size_t>(row)] = 1;
            if (keeps && row < other) keep(w, first + row, first + other);
          },
          w.scratch);
      for (const int32_t row : w.open_a) {  // a zero row under cosine is far from itself, and counts all the same
        if (row >= strip && row < strip + step && w.met_itself[static_cast<size_t>(row)] == 0)
          w.sum_a[static_cast<size_t>(row)] += mass_of(first + row);
      }
      add_sums(first, w.sum_a);
    }
  }

  void count_tile(Worker& w, int64_t a, int64_t b) {
    const bool keeps = keeping(w);
    pick_open(a, keeps, w.open_a);
    pick_open(b, keeps, w.open_b);
    if (w.open_a.empty() && w.open_b.empty()) return;
    const MatrixBlock& rows = read(w, 0, a);
    const MatrixBlock& others = read(w, 1, b);
    const int64_t first_a = first_row(a), first_b = first_row(b);
    w.sum_a.assign(static_cast<size_t>(rows.rows), Mass{});
    w.sum_b.assign(static_cast<size_t>(others.rows), Mass{});
    if (w.open_b.empty() && mass_.empty()) {
      w.counts.assign(w.open_a.size(), 0);
      plan_.count_within(view_of(rows, w.open_a, w.picked[0]), others.view(), task_.limit, w.counts.data(), w.scratch);
      for (size_t i = 0; i < w.open_a.size(); ++i) w.sum_a[static_cast<size_t>(w.open_a[i])].high = w.counts[i];
      return add_sums(first_a, w.sum_a);
    }
    if (!w.open_a.empty()) {
      plan_.visit_within(
          view_of(rows, w.open_a, w.picked[0]), others.view(), task_.limit,
          [&](int64_t i, int64_t j) {
            const int64_t row = w.open_a[static_cast<size_t>(i)];
            w.sum_a[static_cast<size_t>(row)] += mass_of(first_b + j);
            w.sum_b[static_cast<size_t>(j)] += mass_of(first_a + row);
            if (keeps) keep(w, first_a + row, first_b + j);
          },
          w.scratch);
    }
    pick(rows.rows, w.rest, [&, at = size_t{0}](int64_t i) mutable {
      if (at == w.open_a.size() || w.open_a[at] != i) return true;
      ++at;
      return false;
    });
    if (!w.rest.empty() && !w.open_b.empty()) count_rest(w, rows, others, first_a);
    add_sums(first_a, w.sum_a);
    add_sums(first_b, w.sum_b);
  }
  // What the rows that have enough give to those of the other block that have not.
  void count_rest(Worker& w, const MatrixBlock& rows, const MatrixBlock& others, int64_t first_a) {
    const kernels::RowsView open = view_of(others, w.open_b, w.picked[1]), rest = view_of(rows, w.rest, w.picked[0]);
    if (mass_.empty()) {
      w.counts.assign(w.open_b.size(), 0);
      plan_.count_within(open, rest, task_.limit, w.counts.data(), w.scratch);
      for (size_t j = 0; j < w.open_b.size(); ++j) w.sum_b[static_cast<size_t>(w.open_b[j])].high += w.counts[j];
      return;
    }
    plan_.visit_within(
        open, rest, task_.limit,
        [&](int64_t j, int64_t i) {
          w.sum_b[static_cast<size_t>(w.open_b[static_cast<size_t>(j)])] += mass_of(first_a + w.rest[static_cast<size_t>(i)]);
        },
        w.scratch);
  }

  std::vector<uint8_t> core_flags() {
    const auto n = static_cast<size_t>(range_.rows);
    std::vector<int64_t> sums(n * (low_ ? 2 : 1));
    for (size_t i = 0; i < n; ++i) {
      const Mass sum = sum_of(static_cast<int64_t>(i));
      sums[i] = sum.high;
      if (low_) sums[n + i] = sum.low;
    }
    if (ctx_.ranks() > 1) ctx_.comm->sum(sums);
    std::vector<uint8_t> core(n);
    alone_.resize(n);
    for (size_t i = 0; i < n; ++i) {
      core[i] = task_.mass.enough({sums[i], low_ ? sums[n + i] : 0});
      alone_[i] = !low_ && sums[i] == 1;
    }
    return core;
  }

  // Joins the core rows of two blocks, strip by strip. Of one strip and the other block, pairs within the most common set are left out.
  void unite_tile(Worker& w, int64_t a, int64_t b) {
    const int64_t first_a = first_row(a), first_b = first_row(b);
    for (int64_t strip = 0; strip < rows_in(a); strip += kStripRows) {
      const int64_t end = std::min(rows_in(a), strip + kStripRows);
      const auto is_core = [&](int64_t row) { return core_[static_cast<size_t>(row)] != 0; };
      pick(rows_in(b), w.open_b, [&](int64_t j) { return is_core(first_b + j); });
      pick(end, w.open_a, [&](int64_t i) { return i >= strip && is_core(first_a + i); });
      if (w.open_a.empty() || w.open_b.empty()) continue;
      roots_of(first_a, w.open_a, w.root_a);
      roots_of(first_b, w.open_b, w.root_b);
      const int64_t common = most_common(w);
      split(w.open_a, w.root_a, common, w.rest);  // open_a: of the common set
      unite_visit(w, a, b, w.rest, w.open_b);
      split(w.open_b, w.root_b, common, w.rest);
      unite_visit(w, a, b, w.open_a, w.rest);
    }
  }
  void roots_of(int64_t first, const Picked& rows, std::vector<int64_t>& roots) {
    roots.clear();
    for (const int32_t row : rows) roots.push_back(sets_.find(first + row));
  }
  // A set that more than half of the rows belong to, where there is one (Boyer and Moore's vote).
  static int64_t most_common(const Worker& w) {
    int64_t candidate = -1, votes = 0;
    for (const auto* roots : {&w.root_a, &w.root_b}) {
      for (const int64_t root : *roots) {
        if (votes == 0) candidate = root;
        votes += root == candidate ? 1 : -1;
      }
    }
    return candidate;
  }
  // Moves the rows of other sets to `others`.
  static void split(Picked& rows, const std::vector<int64_t>& roots, int64_t common, Picked& others) {
    others.clear();
    size_t kept = 0;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (roots[i] == common) {
        rows[kept++] = rows[i];
      } else {
        others.push_back(rows[i]);
      }
    }
    rows.resize(kept);
  }
  void unite_visit(Worker& w, int64_t a, int64_t b, const Picked& rows_a, const Picked& rows_b) {
    if (rows_a.empty() || rows_b.empty()) return;
    const kernels::RowsView rows = view_of(read(w, 0, a), rows_a, w.picked[0]);
    const kernels::RowsView others = view_of(a == b ? w.block[0] : read(w, 1, b), rows_b, w.picked[1]);
    const int64_t first_a = first_row(a), first_b = first_row(b);
    plan_.visit_within(
        rows, others, task_.limit,
        [&](int64_t i, int64_t j) { sets_.unite(first_a + rows_a[static_cast<size_t>(i)], first_b + rows_b[static_cast<size_t>(j)]); },
        w.scratch);
  }

  void unite_zero_rows() {
    int64_t first = -1;
    for (size_t i = 0; i < zero_.size(); ++i) {
      if (zero_[i] == 0 || core_[i] == 0) continue;
      if (first < 0) first = static_cast<int64_t>(i);
      sets_.unite(first, static_cast<int64_t>(i));
    }
  }

  // labels: of core rows; gains those of the border rows, and -1 elsewhere.
  void join_borders(bool kept, std::vector<int32_t>& labels) {
    std::vector<int32_t> best(labels.size(), kNoCluster);
    if (kept) {
      each_kept([&](const Pair& pair) {
        if (core_[pair.a] == core_[pair.b]) return;
        const uint32_t core = core_[pair.a] != 0 ? pair.a : pair.b, border = core_[pair.a] != 0 ? pair.b : pair.a;
        best[border] = std::min(best[border], labels[core]);
      });
    } else {
      for_each_leaf(range_, ctx_, [&](int worker, int64_t a) {
        for (int64_t b = 0; b < range_.leaves; ++b) border_tile(workers_[static_cast<size_t>(worker)], a, b, labels, best);
      });
    }
    int32_t zero_label = kNoCluster;
    for (size_t i = 0; i < zero_.size(); ++i) {
      if (zero_[i] != 0) zero_label = std::min(zero_label, labels[i]);
    }
    for (size_t i = 0; i < zero_.size(); ++i) {
      if (zero_[i] != 0) best[i] = std::min(best[i], zero_label);
    }
    min_over_ranks(best, ctx_);
    for (size_t i = 0; i < labels.size(); ++i) {
      if (core_[i] == 0) labels[i] = best[i] == kNoCluster ? -1 : best[i];
    }
  }
  void border_tile(Worker& w, int64_t a, int64_t b, const std::vector<int32_t>& labels, std::vector<int32_t>& best) {
    if (ctx_.stopped()) fail(ErrorCode::kInterrupted, "run", "stopped on request", "run the same command again to go on");
    const int64_t first_a = first_row(a), first_b = first_row(b);
    int32_t lowest = kNoCluster;
    pick(rows_in(b), w.open_b, [&](int64_t j) { return core_[static_cast<size_t>(first_b + j)] != 0; });
    for (const int32_t j : w.open_b) lowest = std::min(lowest, labels[static_cast<size_t>(first_b + j)]);
    pick(rows_in(a), w.open_a, [&](int64_t i) {
      const auto row = static_cast<size_t>(first_a + i);
      return core_[row] == 0 && alone_[row] == 0 && best[row] > lowest;
    });
    if (w.open_a.empty() || w.open_b.empty()) return;
    const kernels::RowsView rows = view_of(read(w, 0, a), w.open_a, w.picked[0]);
    const kernels::RowsView others = view_of(a == b ? w.block[0] : read(w, 1, b), w.open_b, w.picked[1]);
    plan_.visit_within(
        rows, others, task_.limit,
        [&](int64_t i, int64_t j) {
          int32_t& label = best[static_cast<size_t>(first_a + w.open_a[static_cast<size_t>(i)])];
          label = std::min(label, labels[static_cast<size_t>(first_b + w.open_b[static_cast<size_t>(j)])]);
        },
        w.scratch);
  }

  const DbscanTask& task_;
  Context& ctx_;
  kernels::PairPlan plan_;
  LeafRange range_;
  std::vector<Worker> workers_;
  std::vector<Mass> mass_;  // empty: each row counts 1
  std::unique_ptr<std::atomic<int64_t>[]> high_, low_;
  UnionFind sets_;
  size_t kept_a_worker_ = 0;
  std::atomic<bool> keep_{true};
  std::vector<uint8_t> enough_, core_, alone_, zero_;
};

}  // namespace

DbscanLabels dbscan_by_pairs(const DbscanTask& task, Context& ctx) {
  return PairsDbscan(task, ctx).run();
}

RowColumn<int32_t> assign_by_pairs(const DbscanTask& task, const Source& cores, const std::vector<int32_t>& labels, Context& ctx) {
  struct Worker {
    kernels::PairScratch scratch;
    BlockBuffer picked;
    Picked open;
  };
  const kernels::PairPlan plan = plan_for(task);
  std::vector<Worker> workers(static_cast<size_t>(worker_count(ctx)));
  RowColumn<int32_t> best(leaf_range(task.rows.rows(), task.rows.cols(), ctx), kNoCluster);
  fold_pairs(task.rows, cores, ctx, [&](int worker, const MatrixBlock& rows, const MatrixBlock& others, bool) {
    Worker& w = workers[static_cast<size_t>(worker)];
    const int32_t* label = labels.data() + others.first_row;
    const int32_t lowest = *std::min_element(label, label + others.rows);
    pick(rows.rows, w.open, [&](int64_t i) { return best[rows.first_row + i] > lowest; });
    if (w.open.empty()) return;
    plan.visit_within(
        view_of(rows, w.open, w.picked), others.view(), task.limit,
        [&](int64_t i, int64_t j) {
          int32_t& mine = best[rows.first_row + w.open[static_cast<size_t>(i)]];
          mine = std::min(mine, label[j]);
        },
        w.scratch);
  });
  Context alone = ctx;
  alone.comm = nullptr;
  const DbscanTask core_task{cores, task.metric, task.limit, task.mass};
  const std::vector<uint8_t> zero = zero_rows(core_task, alone), new_zero = zero_rows(task, ctx);
  int32_t zero_label = kNoCluster;
  for (size_t i = 0; i < zero.size(); ++i) {
    if (zero[i] != 0) zero_label = std::min(zero_label, labels[i]);
  }
  for (int64_t row = best.first_row(); row < best.last_row(); ++row) {
    if (!new_zero.empty() && new_zero[static_cast<size_t>(row)] != 0) best[row] = std::min(best[row], zero_label);
    if (best[row] == kNoCluster) best[row] = -1;
  }
  return best;
}

}  // namespace sluice::detail
