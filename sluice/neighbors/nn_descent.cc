#include "sluice/neighbors/nn_descent.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "sluice/core/memory.h"
#include "sluice/core/random.h"
#include "sluice/kernels/dist64.h"
#include "sluice/neighbors/neighbor_task.h"

namespace sluice {
namespace {

using detail::NeighborTask;

constexpr int64_t kTrees = 8;
constexpr int64_t kLeafRowsWanted = 384;
constexpr int64_t kMostTried = 16;  // neighbours of a row, new ones and old ones each, that meet each other in a round
constexpr int64_t kMostRounds = 20;
constexpr double kStill = 1e-3;  // share of entries changed in a round below which all is done
constexpr int64_t kRecallRows = 256;
constexpr int64_t kBlock = 512;
// Streams of random numbers: trees first, then the rows that recall is measured on, then priorities.
constexpr uint64_t kTreeStream = 0, kRecallStream = uint64_t{1} << 40;

// f(worker, first, last) over blocks of [0, n), each once, on this rank alone.
void blocks(int64_t n, int64_t block, const Context& ctx, const std::function<void(int, int64_t, int64_t)>& f) {
  Context alone = ctx;
  alone.comm = nullptr;
  const int64_t count = (n + block - 1) / block;
  for_each_leaf({block, count, 0, count, n}, alone, [&](int worker, int64_t b) { f(worker, b * block, std::min(n, (b + 1) * block)); });
}

// A number that decides who of many is tried: the same for a pair whoever asks.
uint32_t priority(uint64_t seed, int64_t round, int64_t a, int64_t b) {
  return philox({static_cast<uint32_t>(std::min(a, b)), static_cast<uint32_t>(std::max(a, b)), static_cast<uint32_t>(round),
                 static_cast<uint32_t>(RandomStage::kNnDescent)},
                {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)})[0];
}

// Rows by number, in memory.
class MemoryRows {
 public:
  explicit MemoryRows(const Source& rows) : held_(load(rows)), block_(held_->read(0, held_->rows(), buffer_)) {}
  const MatrixBlock& block() const { return block_; }
  double distance(kernels::Metric metric, int64_t i, const double* wide) const {
    const kernels::RowsView view = block_.view();
    return view.is_f64 ? kernels::distance64(metric, view.f64(i), wide, view.cols)
                       : kernels::distance64(metric, view.f32(i), wide, view.cols);
  }
  double dot(int64_t i, const double* wide) const {
    const kernels::RowsView view = block_.view();
    return view.is_f64 ? kernels::dot(view.f64(i), wide, view.cols) : kernels::dot(view.f32(i), wide, view.cols);
  }

 private:
  BlockBuffer buffer_;
  std::unique_ptr<MemorySource> held_;
  MatrixBlock block_;
};

class NnDescent {
 public:
  NnDescent(const NeighborTask& task, int64_t k, const Context& ctx)
      : task_(task), ctx_(ctx), rows_(task.rows()), n_(task.rows().rows()), d_(task.rows().cols()), k_(k), plan_(task.plan()) {
    const auto size = static_cast<size_t>(n_ * k_);
    index_.assign(size, -1);
    distance_.assign(size, std::numeric_limits<double>::infinity());
    fresh_.assign(size, 1);
    workers_.resize(static_cast<size_t>(worker_count(ctx)));
    for (Worker& worker : workers_) {
      worker.wide.resize(static_cast<size_t>(d_));
      worker.met.assign(static_cast<size_t>(n_), -1);
    }
  }

  // Gives the rounds it took.
  int64_t run() {
    ctx_.stage("neighbours", kTrees + kMostRounds);
    int64_t levels = 0;
    while ((n_ >> levels) > std::max(kLeafRowsWanted, 4 * k_)) ++levels;
    const int64_t trees = levels == 0 ? 1 : kTrees;  // one leaf of all rows is all pairs
    for (int64_t t = 0; t < trees; ++t) {
      join_leaves(plant(t, levels), levels);
      ctx_.step(t + 1);
    }
    if (levels == 0) return 0;
    int64_t round = 0;
    while (round < kMostRounds) {
      const int64_t changed = meet(round++);
      ctx_.step(kTrees + round);
      if (static_cast<double>(changed) <= kStill * static_cast<double>(n_ * k_)) break;
    }
    return round;
  }

  Neighbors take() {
    Neighbors out;
    out.k = k_;
    out.indices = std::move(index_);
    out.distances = std::move(distance_);
    for (double& x : out.distances) x = task_.published(x);
    return out;
  }

 private:
  struct Worker {
    std::vector<double> wide;
    std::vector<int64_t> met;  // by row: the row it was last tried for
    std::vector<std::byte> packed;
    std::vector<double> near;
    std::vector<int64_t> who;
    kernels::PairScratch scratch;
  };

  // The bounds of node `node` of a level: rows are halved at each.
  int64_t bound(int64_t node, int64_t level) const { return static_cast<int64_t>(static_cast<__int128>(n_) * node >> level); }

  // A tree: rows in the order of its leaves.
  std::vector<int64_t> plant(int64_t tree, int64_t levels) {
    std::vector<int64_t> order(static_cast<size_t>(n_));
    std::iota(order.begin(), order.end(), 0);
    std::vector<std::pair<double, int64_t>> side(order.size());
    for (int64_t level = 0; level < levels; ++level) {
      blocks(int64_t{1} << level, 1, ctx_, [&](int, int64_t node, int64_t) {
        const int64_t first = bound(node, level), last = bound(node + 1, level), middle = bound(2 * node + 1, level + 1);
        Random random(ctx_.seed, RandomStage::kNnDescent,
                      kTreeStream + (static_cast<uint64_t>(tree) << 32) + (uint64_t{1} << level) + static_cast<uint64_t>(node));
        const int64_t a = order[static_cast<size_t>(first) + random.below(static_cast<uint64_t>(last - first))];
        const int64_t b = order[static_cast<size_t>(first) + random.below(static_cast<uint64_t>(last - first))];
        std::vector<double> direction(static_cast<size_t>(2 * d_));
        const double* x = rows_.block().row(a, direction.data() + d_);
        for (int64_t j = 0; j < d_; ++j) direction[static_cast<size_t>(j)] = x[j];
        x = rows_.block().row(b, direction.data() + d_);
        for (int64_t j = 0; j < d_; ++j) direction[static_cast<size_t>(j)] -= x[j];
        for (int64_t p = first; p < last; ++p) {
          const int64_t row = order[static_cast<size_t>(p)];
          side[static_cast<size_t>(p)] = {rows_.dot(row, direction.data()), row};
        }
        std::nth_element(side.begin() + first, side.begin() + middle, side.begin() + last);
        for (int64_t p = first; p < last; ++p) order[static_cast<size_t>(p)] = side[static_cast<size_t>(p)].second;
      });
    }
    return order;
  }

  // Every row meets the rows of its leaf.
  void join_leaves(std::vector<int64_t> order, int64_t levels) {
    blocks(int64_t{1} << levels, 1, ctx_, [&](int w, int64_t leaf, int64_t) {
      Worker& worker = workers_[static_cast<size_t>(w)];
      const int64_t first = bound(leaf, levels), size = bound(leaf + 1, levels) - first;
      int64_t* rows = order.data() + first;
      std::sort(rows, rows + size);  // so that ties go to the lowest row
      const MatrixBlock& all = rows_.block();
      const size_t bytes = static_cast<size_t>(d_) * size_of(all.dtype);
      worker.packed.resize(static_cast<size_t>(size) * bytes);
      for (int64_t i = 0; i < size; ++i) {
        std::copy_n(static_cast<const std::byte*>(all.data) + static_cast<size_t>(rows[i] * all.stride) * size_of(all.dtype), bytes,
                    worker.packed.data() + static_cast<size_t>(i) * bytes);
      }
      const kernels::RowsView view{worker.packed.data(), all.dtype == DType::kF64, size, d_, d_};
      const int64_t most = std::min(k_, size - 1);
      worker.near.assign(static_cast<size_t>(size * most), std::numeric_limits<double>::infinity());
      worker.who.assign(worker.near.size(), -1);
      plan_.nearest(view, view, 0, 0, most, worker.near.data(), worker.who.data(), worker.scratch);
      for (int64_t i = 0; i < size; ++i) {
        for (int64_t t = 0; t < most; ++t) {
          const auto at = static_cast<size_t>(i * most + t);
          if (worker.who[at] < 0 || !enter(rows[i], worker.near[at], rows[worker.who[at]])) break;
        }
      }
    });
  }

  // Puts (value, other) into row's list. False when it is beyond the last of a full one.
  bool enter(int64_t row, double value, int64_t other) {
    double* distance = distance_.data() + row * k_;
    int64_t* index = index_.data() + row * k_;
    uint8_t* fresh = fresh_.data() + row * k_;
    const auto before = [&](int64_t t) { return value < distance[t] || (value == distance[t] && (index[t] < 0 || other < index[t])); };
    if (!before(k_ - 1)) return false;
    for (int64_t t = 0; t < k_ && distance[t] <= value; ++t) {
      if (index[t] == other) return true;
    }
    int64_t t = k_ - 1;
    for (; t > 0 && before(t - 1); --t) {
      distance[t] = distance[t - 1];
      index[t] = index[t - 1];
      fresh[t] = fresh[t - 1];
    }
    distance[t] = value;
    index[t] = other;
    fresh[t] = 1;
    return true;
  }

  // Rows tried with row v this round: v's list and those that have v in theirs.
  struct Tried {
    std::vector<int32_t> rows;  // n x kMostTried
    std::vector<uint8_t> counts;
  };

  void choose(int64_t round, Tried& news, Tried& olds) {
    std::vector<int64_t> starts(static_cast<size_t>(n_ + 1), 0), entries(index_.size());
    for (const int64_t other : index_) ++starts[static_cast<size_t>(other) + 1];
    for (size_t i = 0; i < static_cast<size_t>(n_); ++i) starts[i + 1] += starts[i];
    std::vector<int64_t> at(starts.begin(), starts.end() - 1);
    for (size_t e = 0; e < index_.size(); ++e) entries[static_cast<size_t>(at[static_cast<size_t>(index_[e])]++)] = static_cast<int64_t>(e);
    for (Tried* tried : {&news, &olds}) {
      tried->rows.assign(static_cast<size_t>(n_ * kMostTried), -1);
      tried->counts.assign(static_cast<size_t>(n_), 0);
    }
    blocks(n_, kBlock, ctx_, [&](int, int64_t first, int64_t last) {
      std::vector<std::pair<uint32_t, int64_t>> pools[2];
      for (int64_t v = first; v < last; ++v) {
        for (auto& pool : pools) pool.clear();
        const auto offer = [&](int64_t e, int64_t other) {
          pools[fresh_[static_cast<size_t>(e)]].emplace_back(priority(ctx_.seed, round, v, other), other);
        };
        for (int64_t e = v * k_; e < (v + 1) * k_; ++e) offer(e, index_[static_cast<size_t>(e)]);
        for (int64_t r = starts[static_cast<size_t>(v)]; r < starts[static_cast<size_t>(v) + 1]; ++r) {
          offer(entries[static_cast<size_t>(r)], entries[static_cast<size_t>(r)] / k_);
        }
        for (int kind = 0; kind < 2; ++kind) {
          auto& pool = pools[kind];
          std::sort(pool.begin(), pool.end());
          pool.erase(std::unique(pool.begin(), pool.end()), pool.end());
          Tried& tried = kind == 1 ? news : olds;
          const auto count = std::min<int64_t>(kMostTried, static_cast<int64_t>(pool.size()));
          for (int64_t t = 0; t < count; ++t)
            tried.rows[static_cast<size_t>(v * kMostTried + t)] = static_cast<int32_t>(pool[static_cast<size_t>(t)].second);
          tried.counts[static_cast<size_t>(v)] = static_cast<uint8_t>(count);
        }
      }
    });
    // A new neighbour that is tried at its row is old from now on.
    blocks(n_, kBlock, ctx_, [&](int, int64_t first, int64_t last) {
      for (int64_t v = first; v < last; ++v) {
        const int32_t* chosen = news.rows.data() + v * kMostTried;
        for (int64_t e = v * k_; e < (v + 1) * k_; ++e) {
          if (std::find(chosen, chosen + news.counts[static_cast<size_t>(v)], index_[static_cast<size_t>(e)]) !=
              chosen + news.counts[static_cast<size_t>(v)]) {
            fresh_[static_cast<size_t>(e)] = 0;
          }
        }
      }
    });
  }

  // Where each row is tried: entries v * kMostTried + t by the row they name.
  static void where(const Tried& tried, int64_t n, std::vector<int64_t>& starts, std::vector<int32_t>& hosts) {
    starts.assign(static_cast<size_t>(n + 1), 0);
    for (const int32_t row : tried.rows) {
      if (row >= 0) ++starts[static_cast<size_t>(row) + 1];
    }
    for (size_t i = 0; i < static_cast<size_t>(n); ++i) starts[i + 1] += starts[i];
    hosts.resize(static_cast<size_t>(starts.back()));
    std::vector<int64_t> at(starts.begin(), starts.end() - 1);
    for (int64_t e = 0; e < static_cast<int64_t>(tried.rows.size()); ++e) {
      const int32_t row = tried.rows[static_cast<size_t>(e)];
      if (row >= 0) hosts[static_cast<size_t>(at[static_cast<size_t>(row)]++)] = static_cast<int32_t>(e / kMostTried);
    }
  }

  // A round: rows tried at the same row meet, unless both are old there. Gives the entries that changed.
  int64_t meet(int64_t round) {
    Tried news, olds;
    choose(round, news, olds);
    std::vector<int64_t> new_starts, old_starts;
    std::vector<int32_t> new_hosts, old_hosts;
    where(news, n_, new_starts, new_hosts);
    where(olds, n_, old_starts, old_hosts);
    for (Worker& worker : workers_) std::fill(worker.met.begin(), worker.met.end(), -1);
    std::atomic<int64_t> changed{0};
    blocks(n_, kBlock, ctx_, [&](int w, int64_t first, int64_t last) {
      Worker& worker = workers_[static_cast<size_t>(w)];
      int64_t mine = 0;
      for (int64_t p = first; p < last; ++p) {
        for (int64_t e = p * k_; e < (p + 1) * k_; ++e) worker.met[static_cast<size_t>(index_[static_cast<size_t>(e)])] = p;
        worker.met[static_cast<size_t>(p)] = p;
        const double* wide = rows_.block().row(p, worker.wide.data());
        const auto meet_all = [&](const Tried& tried, int64_t host) {
          for (int64_t t = 0; t < tried.counts[static_cast<size_t>(host)]; ++t) {
            const int64_t q = tried.rows[static_cast<size_t>(host * kMostTried + t)];
            if (worker.met[static_cast<size_t>(q)] == p) continue;
            worker.met[static_cast<size_t>(q)] = p;
            mine += enter(p, rows_.distance(task_.metric(), q, wide), q) ? 1 : 0;
          }
        };
        for (int64_t h = new_starts[static_cast<size_t>(p)]; h < new_starts[static_cast<size_t>(p) + 1]; ++h) {
          meet_all(news, new_hosts[static_cast<size_t>(h)]);
          meet_all(olds, new_hosts[static_cast<size_t>(h)]);
        }
        for (int64_t h = old_starts[static_cast<size_t>(p)]; h < old_starts[static_cast<size_t>(p) + 1]; ++h) {
          meet_all(news, old_hosts[static_cast<size_t>(h)]);
        }
      }
      changed += mine;
    });
    return changed;
  }

  const NeighborTask& task_;
  const Context& ctx_;
  MemoryRows rows_;
  int64_t n_, d_, k_;
  kernels::PairPlan plan_;
  std::vector<int64_t> index_;
  std::vector<double> distance_;
  std::vector<uint8_t> fresh_;
  std::vector<Worker> workers_;
};

// The share of the neighbours found that are as near as the true ones, over rows drawn by seed.
void measure_recall(const Source& rows, kernels::Metric metric, ApproximateNeighbors& out, Context& ctx) {
  const int64_t n = rows.rows(), k = out.graph.k;
  std::set<int64_t> drawn;
  Random random(ctx.seed, RandomStage::kNnDescent, kRecallStream);
  while (static_cast<int64_t>(drawn.size()) < std::min(n, kRecallRows))
    drawn.insert(static_cast<int64_t>(random.below(static_cast<uint64_t>(n))));
  std::vector<double> values;
  for (const int64_t row : drawn) {
    const std::vector<double> x = read_row(rows, row);
    values.insert(values.end(), x.begin(), x.end());
  }
  MemorySource queries(std::move(values), static_cast<int64_t>(drawn.size()), rows.cols());
  Context alone = ctx;
  alone.comm = nullptr;
  alone.progress = nullptr;
  queries.stats = measure(queries, alone);
  const Neighbors exact = knn_search(rows, queries, k + 1, metric, alone);  // the row itself or one as near takes a place
  int64_t found = 0, query = 0;
  for (const int64_t row : drawn) {
    const double last = exact.distance(query++)[k];
    for (int64_t t = 0; t < k; ++t) found += out.graph.distance(row)[t] <= last ? 1 : 0;
  }
  out.recall_rows = query;
  out.recall = static_cast<double>(found) / static_cast<double>(query * k);
}

}  // namespace

ApproximateNeighbors nn_descent(const Source& rows, int64_t k, kernels::Metric metric, Context& ctx) {
  detail::check_neighbors(rows, nullptr, k, ctx);
  const double bytes =
      8.0 * static_cast<double>(rows.rows()) * static_cast<double>(rows.cols()) + 60.0 * static_cast<double>(rows.rows() * k);
  require_left("--algorithm", "nn_descent, which holds all rows and lists of their neighbours,", bytes, rows, ctx,
               "use brute, which reads the rows piece by piece, or a larger --memory");
  const NeighborTask task(rows, nullptr, metric);
  ApproximateNeighbors out;
  for_each_leaf({1, ctx.ranks(), ctx.rank(), ctx.rank() + 1, ctx.ranks()}, ctx, [&](int, int64_t) {
    NnDescent search(task, k, ctx);
    out.n_iter = search.run();
    out.graph = search.take();
    measure_recall(rows, metric, out, ctx);
  });
  return out;
}

}  // namespace sluice
