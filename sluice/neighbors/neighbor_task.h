// What the ways of finding neighbours share: the rows as the metric sees them, how the queries are cut, and limits. Not for other use.
#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "sluice/core/fold.h"
#include "sluice/core/normalised.h"
#include "sluice/core/text.h"
#include "sluice/kernels/pairs.h"
#include "sluice/neighbors/kd_tree.h"
#include "sluice/neighbors/knn.h"

namespace sluice::detail {

// Rows against rows, as the metric sees them (cosine: of length 1).
class NeighborTask {
 public:
  // `queries` null: the rows themselves, and no row is its own neighbour.
  NeighborTask(const Source& rows, const Source* queries, kernels::Metric metric);

  const Source& rows() const { return *rows_; }
  const Source& queries() const { return *queries_; }
  bool self() const { return self_; }
  kernels::Metric metric() const { return metric_; }
  // What dist64.h gives as it is handed over.
  double published(double distance) const;
  // The largest dist64.h distance whose published value is at most `radius`.
  double limit(double radius) const;
  kernels::PairPlan plan() const;

 private:
  std::unique_ptr<NormalisedSource> unit_rows_, unit_queries_;
  const Source* rows_;
  const Source* queries_;
  kernels::Metric metric_;
  bool self_;
};

// The refusals that knn.h names; of a radius search the first alone.
void check_rows(const Source& rows, const Source* queries);
void check_neighbors(const Source& rows, const Source* queries, int64_t k, const Context& ctx);

// `rows` rows in blocks of at most `most`, fewer where threads and ranks would idle: no result may depend on the cut.
LeafRange block_range(int64_t rows, int64_t most, const Context& ctx);

// The ranks' parts of a value, `each` values a row of this rank's blocks, put together in row order on every rank.
template <class T>
void share_rows(std::vector<T>& all, const LeafRange& range, int64_t each, Context& ctx) {
  if (ctx.ranks() == 1) return;
  const std::span<const T> mine(all.data() + range.first_row() * each, static_cast<size_t>((range.last_row() - range.first_row()) * each));
  auto* to = reinterpret_cast<std::byte*>(all.data());
  for (const Bytes& part : ctx.comm->all_gather(std::as_bytes(mine))) to = std::copy(part.begin(), part.end(), to);
}

// A pair within a radius; distance as dist64.h gives it.
struct Hit {
  int64_t query;  // within its block
  int64_t row;
  double distance;
  bool operator<(const Hit& b) const {
    if (query != b.query) return query < b.query;
    return distance != b.distance ? distance < b.distance : row < b.row;
  }
};

// All neighbours found of the queries of a block, row by row.
struct FoundBlock {
  std::vector<int64_t> counts;  // a query
  std::vector<int64_t> indices;
  std::vector<double> distances;
};
// From the hits of a block of `queries`, in any order; leaves none of them.
FoundBlock found_block(std::vector<Hit>& hits, int64_t queries, const NeighborTask& task);
// Puts blocks (of this rank; at [block - range.first]) of all ranks behind each other.
RadiusNeighbors join_blocks(std::vector<FoundBlock>& blocks, const LeafRange& range, Context& ctx);

// Counts pairs against the memory budget. Any thread.
class PairBudget {
 public:
  explicit PairBudget(const Context& ctx) : memory_(ctx.memory) {}
  void take(int64_t pairs);

 private:
  int64_t memory_;
  std::atomic<int64_t> pairs_{0};
};

// Searches over a tree, each for itself: nearest leaf first, subtrees left out that are surely beyond the worst distance kept.
// knn_by_tree gives nothing where the tree prunes so little that all pairs are quicker, unless `always`.
bool tree_can(kernels::Metric metric);
std::optional<Neighbors> knn_by_tree(const NeighborTask& task, int64_t k, bool always, Context& ctx);
RadiusNeighbors radius_by_tree(const NeighborTask& task, double limit, Context& ctx);

// Searches over sparse rows (knn_sparse.cc): queries and rows both are. Memory: a worker 24 bytes a row of a block of 8,192, and once that
// block's entries and 8 bytes a column.
bool index_can(const NeighborTask& task);
Neighbors knn_by_index(const NeighborTask& task, int64_t k, Context& ctx);
RadiusNeighbors radius_by_index(const NeighborTask& task, double limit, Context& ctx);

}  // namespace sluice::detail
