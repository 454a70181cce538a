// Neighbours of sparse rows: an inverted index of a block of rows (for each column its entries) gives the products of a query with all of
// them at the cost of the entries they share; what the rounding of those may hide is decided by dist64.h's arithmetic.
#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>

#include "sluice/kernels/sparse_rows.h"
#include "sluice/neighbors/neighbor_task.h"

namespace sluice::detail {
namespace {

using kernels::Metric;

constexpr int64_t kBlockRows = 8192;  // their scores then stay in a second-level cache
constexpr int64_t kChunk = 64;        // scores compared at a time
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// What a row adds to the distance where it shares nothing with the other: distance = base + base - shared.
double base_of(Metric metric, const double* values, const int32_t* indices, int64_t count) {
  if (metric == Metric::kSquaredEuclidean) return kernels::sparse_square(indices, values, count);
  double sum = 0;
  for (int64_t p = 0; p < count; ++p) sum += std::fabs(values[p]);
  return sum;
}

struct Query {
  const int32_t* indices;
  const double* values;
  int64_t count;
  double base;   // cosine: 1, and those of the rows are 0
  int64_t self;  // its own place among the block's rows, or one that none has
};

class BlockIndex {
 public:
  BlockIndex(const CsrBlock& rows, Metric metric) : rows_(rows), metric_(metric) {
    const int64_t entries = rows.begin(rows.rows);
    starts_.assign(static_cast<size_t>(rows.cols) + 2, 0);
    for (int64_t p = 0; p < entries; ++p) ++starts_[static_cast<size_t>(rows.indices[p]) + 2];
    for (size_t j = 2; j < starts_.size(); ++j) starts_[j] += starts_[j - 1];
    entry_rows_.resize(static_cast<size_t>(entries));
    entry_values_.resize(static_cast<size_t>(entries));
    for (int64_t r = 0; r < rows.rows; ++r) {
      for (int64_t p = rows.begin(r); p < rows.begin(r) + rows.count(r); ++p) {
        const auto to = static_cast<size_t>(starts_[static_cast<size_t>(rows.indices[p]) + 1]++);
        entry_rows_[to] = static_cast<int32_t>(r);
        entry_values_[to] = rows.values[p];
      }
      most_entries_ = std::max(most_entries_, rows.count(r));
      const double base =
          metric == Metric::kCosine ? 0 : base_of(metric, rows.values + rows.begin(r), rows.indices + rows.begin(r), rows.count(r));
      bases_.push_back(base);
      most_base_ = std::max(most_base_, base);
    }
  }
  int64_t rows() const { return rows_.rows; }
  int64_t first_row() const { return rows_.first_row; }

  // scores[r] = distance of row r less the query's base, but for rounding; its own is infinite.
  void score(const Query& query, std::vector<double>& shared, std::vector<double>& scores) const {
    shared.assign(bases_.size(), 0.0);
    for (int64_t q = 0; q < query.count; ++q) add_shared(query.indices[q], query.values[q], shared.data());
    scores.resize(bases_.size());
    for (size_t r = 0; r < scores.size(); ++r) scores[r] = bases_[r] - shared[r];
    if (query.self >= 0 && query.self < rows_.rows) scores[static_cast<size_t>(query.self)] = kInfinity;
  }

  // A score and dist64's distance less the query's base differ by less. With m entries of the two together and B = base + base, which the
  // absolute terms of every sum here come to at most twice: the products, the bases and the distance itself have errors below
  // (4 m + 30) 2^-53 B (of the cosine, whose terms come to 1, B = 2). This is twice that, and what underflow can take away.
  double error(const Query& query) const {
    const double reach = query.base + (metric_ == Metric::kCosine ? 1 : most_base_);
    return static_cast<double>(8 * (query.count + most_entries_ + 16)) * 0x1p-53 * reach + std::numeric_limits<double>::min();
  }

  double distance(const Query& query, int64_t r) const {
    return kernels::sparse_distance64(metric_, query.indices, query.values, query.count, rows_.indices + rows_.begin(r),
                                      rows_.values + rows_.begin(r), rows_.count(r));
  }

 private:
  // What the query's value of a column takes off the distances of the rows that have one there.
  void add_shared(int32_t column, double x, double* shared) const {
    const auto begin = static_cast<size_t>(starts_[static_cast<size_t>(column)]);
    const auto end = static_cast<size_t>(starts_[static_cast<size_t>(column) + 1]);
    if (metric_ == Metric::kManhattan) {
      for (size_t p = begin; p < end; ++p)
        shared[entry_rows_[p]] += std::fabs(x) + std::fabs(entry_values_[p]) - std::fabs(x - entry_values_[p]);
      return;
    }
    const double factor = metric_ == Metric::kCosine ? x : 2 * x;
    for (size_t p = begin; p < end; ++p) shared[entry_rows_[p]] = std::fma(factor, entry_values_[p], shared[entry_rows_[p]]);
  }

  CsrBlock rows_;
  Metric metric_;
  std::vector<int64_t> starts_;  // entries of column j: [starts_[j], starts_[j + 1])
  std::vector<int32_t> entry_rows_;
  std::vector<double> entry_values_;
  std::vector<double> bases_;
  int64_t most_entries_ = 0;
  double most_base_ = 0;
};

struct Near {
  double distance;
  int64_t row;
  bool operator<(const Near& b) const { return distance != b.distance ? distance < b.distance : row < b.row; }
};

// Buffers of one worker.
struct Worker {
  BlockBuffer queries;
  std::vector<double> shared, scores, least;
  std::vector<Near> near;
};

// use(r) for the scores that are not above `limit`, which use() may lower; what can't be compared is not above.
template <class Use>
void for_each_low(const std::vector<double>& scores, double& limit, const Use& use) {
  const auto n = static_cast<int64_t>(scores.size());
  for (int64_t first = 0; first < n; first += kChunk) {
    const int64_t count = std::min(kChunk, n - first);
    const double* chunk = scores.data() + first;
    int64_t above = 0;
    for (int64_t i = 0; i < count; ++i) above += chunk[i] > limit ? 1 : 0;
    if (above == count) continue;
    for (int64_t i = 0; i < count; ++i) {
      if (!(chunk[i] > limit)) use(first + i);
    }
  }
}

// The k-th lowest score, infinite where there are fewer.
double kth_lowest(const std::vector<double>& scores, int64_t k, std::vector<double>& least) {
  least.clear();
  double limit = kInfinity;
  for_each_low(scores, limit, [&](int64_t r) {
    const double score = scores[static_cast<size_t>(r)];
    if (!(score < limit)) return;
    if (static_cast<int64_t>(least.size()) == k) {
      std::pop_heap(least.begin(), least.end());
      least.pop_back();
    }
    least.push_back(score);
    std::push_heap(least.begin(), least.end());
    if (static_cast<int64_t>(least.size()) == k) limit = least.front();
  });
  return limit;
}

// Brings the k nearest known so far up to date with the rows of a block.
void take_nearest(const BlockIndex& index, const Query& query, int64_t k, double* distances, int64_t* rows, Worker& worker) {
  index.score(query, worker.shared, worker.scores);
  const double error = index.error(query);
  double limit = std::min(distances[k - 1] - query.base, kth_lowest(worker.scores, k, worker.least) + error) + error;
  worker.near.clear();
  for_each_low(worker.scores, limit, [&](int64_t r) {
    if (r != query.self) worker.near.push_back({index.distance(query, r), index.first_row() + r});
  });
  if (worker.near.empty()) return;
  for (int64_t t = 0; t < k && rows[t] >= 0; ++t) worker.near.push_back({distances[t], rows[t]});
  const auto kept = std::min(k, static_cast<int64_t>(worker.near.size()));
  std::partial_sort(worker.near.begin(), worker.near.begin() + kept, worker.near.end());
  for (int64_t t = 0; t < kept; ++t) {
    distances[t] = worker.near[static_cast<size_t>(t)].distance;
    rows[t] = worker.near[static_cast<size_t>(t)].row;
  }
}

// f(worker, block number, number of the query within it, query, index) for every query of this rank and every block of rows.
template <class F>
void each_query(const NeighborTask& task, const LeafRange& range, Context& ctx, const F& f) {
  const int64_t n = task.rows().rows();
  const int64_t step = ctx.leaf_rows > 0 ? ctx.leaf_rows : kBlockRows;
  std::vector<Worker> workers(static_cast<size_t>(worker_count(ctx)));
  BlockBuffer buffer;
  std::optional<BlockIndex> index;
  int64_t ended = 0;
  std::mutex stepping;
  ctx.stage("neighbours", (n + step - 1) / step * (range.last - range.first));
  for (int64_t at = 0; at < n; at += step) {
    for_each_leaf({1, ctx.ranks(), ctx.rank(), ctx.rank() + 1, ctx.ranks()}, ctx,
                  [&](int, int64_t) { index.emplace(task.rows().read_csr(at, std::min(step, n - at), buffer), task.metric()); });
    for_each_leaf(range, ctx, [&](int w, int64_t number) {
      Worker& worker = workers[static_cast<size_t>(w)];
      const int64_t first = number * range.rows_per_leaf;
      const CsrBlock queries = task.queries().read_csr(first, std::min(range.rows_per_leaf, range.rows - first), worker.queries);
      for (int64_t i = 0; i < queries.rows; ++i) {
        Query query{queries.indices + queries.begin(i), queries.values + queries.begin(i), queries.count(i), 1,
                    task.self() ? first + i - at : -1};
        if (task.metric() != Metric::kCosine) query.base = base_of(task.metric(), query.values, query.indices, query.count);
        f(worker, number, i, query, *index);
      }
      const std::lock_guard lock(stepping);
      ctx.step(++ended);
    });
  }
}

}  // namespace

bool index_can(const NeighborTask& task) {
  return task.rows().sparse() && task.queries().sparse();
}

Neighbors knn_by_index(const NeighborTask& task, int64_t k, Context& ctx) {
  const int64_t n = task.queries().rows();
  const LeafRange range = block_range(n, leaf_rows(task.rows().cols(), ctx), ctx);
  Neighbors found;
  found.k = k;
  found.indices.assign(static_cast<size_t>(n * k), -1);
  found.distances.assign(static_cast<size_t>(n * k), kInfinity);
  each_query(task, range, ctx, [&](Worker& worker, int64_t number, int64_t i, const Query& query, const BlockIndex& index) {
    const int64_t at = (number * range.rows_per_leaf + i) * k;
    take_nearest(index, query, k, found.distances.data() + at, found.indices.data() + at, worker);
  });
  for (int64_t i = range.first_row() * k; i < range.last_row() * k; ++i) {
    double& distance = found.distances[static_cast<size_t>(i)];
    distance = task.published(distance);
  }
  share_rows(found.indices, range, k, ctx);
  share_rows(found.distances, range, k, ctx);
  return found;
}

RadiusNeighbors radius_by_index(const NeighborTask& task, double limit, Context& ctx) {
  const LeafRange range = block_range(task.queries().rows(), leaf_rows(task.rows().cols(), ctx), ctx);
  PairBudget budget(ctx);
  std::vector<std::vector<Hit>> hits(static_cast<size_t>(range.last - range.first));
  each_query(task, range, ctx, [&](Worker& worker, int64_t number, int64_t i, const Query& query, const BlockIndex& index) {
    auto& to = hits[static_cast<size_t>(number - range.first)];
    const size_t before = to.size();
    index.score(query, worker.shared, worker.scores);
    double low = limit - query.base + index.error(query);
    for_each_low(worker.scores, low, [&](int64_t r) {
      const double distance = r == query.self ? kInfinity : index.distance(query, r);
      if (distance <= limit) to.push_back({i, index.first_row() + r, distance});
    });
    budget.take(static_cast<int64_t>(to.size() - before));
  });
  std::vector<FoundBlock> blocks;
  for (int64_t number = range.first; number < range.last; ++number) {
    const int64_t rows = std::min(range.rows_per_leaf, range.rows - number * range.rows_per_leaf);
    blocks.push_back(found_block(hits[static_cast<size_t>(number - range.first)], rows, task));
  }
  return join_blocks(blocks, range, ctx);
}

}  // namespace sluice::detail
