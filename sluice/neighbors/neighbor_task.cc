#include "sluice/neighbors/neighbor_task.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sluice::detail {

NeighborTask::NeighborTask(const Source& rows, const Source* queries, kernels::Metric metric)
    : rows_(&rows), queries_(queries == nullptr ? &rows : queries), metric_(metric), self_(queries == nullptr) {
  if (metric != kernels::Metric::kCosine) return;
  unit_rows_ = std::make_unique<NormalisedSource>(rows);
  rows_ = unit_rows_.get();
  if (!self_) unit_queries_ = std::make_unique<NormalisedSource>(*queries);
  queries_ = self_ ? rows_ : unit_queries_.get();
}

double NeighborTask::published(double distance) const {
  if (metric_ == kernels::Metric::kSquaredEuclidean) return std::sqrt(distance);
  return std::max(0.0, distance);
}

double NeighborTask::limit(double radius) const {
  if (metric_ != kernels::Metric::kSquaredEuclidean) return radius;
  constexpr double kMax = std::numeric_limits<double>::max();
  double square = std::min(radius * radius, kMax);
  while (square > 0 && std::sqrt(square) > radius) square = std::nextafter(square, 0.0);
  while (square < kMax && std::sqrt(std::nextafter(square, kMax)) <= radius) square = std::nextafter(square, kMax);
  return square;
}

kernels::PairPlan NeighborTask::plan() const {
  std::vector<double> shift;
  double widest = 0;
  for (const ColumnStatistics& column : rows_->stats.columns) {
    const double middle = column.min + (column.max - column.min) / 2;
    shift.push_back(middle);
    widest = std::max({widest, std::fabs(column.max - middle), std::fabs(column.min - middle)});
  }
  int exponent = 0;
  std::frexp(widest, &exponent);
  return {metric_, rows_->cols(), shift.data(), exponent + 1};
}

LeafRange block_range(int64_t rows, int64_t most, const Context& ctx) {
  constexpr int64_t kFewest = 96, kBlocksEach = 8;
  const int64_t wanted = kBlocksEach * worker_count(ctx) * ctx.ranks();
  LeafRange range;
  range.rows = rows;
  range.rows_per_leaf = std::clamp((rows + wanted - 1) / wanted, std::min(kFewest, most), most);
  range.leaves = (rows + range.rows_per_leaf - 1) / range.rows_per_leaf;
  range.first = range.leaves * ctx.rank() / ctx.ranks();
  range.last = range.leaves * (ctx.rank() + 1) / ctx.ranks();
  return range;
}

FoundBlock found_block(std::vector<Hit>& hits, int64_t queries, const NeighborTask& task) {
  std::sort(hits.begin(), hits.end());
  FoundBlock block;
  block.counts.assign(static_cast<size_t>(queries), 0);
  for (const Hit& hit : hits) {
    ++block.counts[static_cast<size_t>(hit.query)];
    block.indices.push_back(hit.row);
    block.distances.push_back(task.published(hit.distance));
  }
  hits = {};
  return block;
}

RadiusNeighbors join_blocks(std::vector<FoundBlock>& blocks, const LeafRange& range, Context& ctx) {
  RadiusNeighbors all;
  std::vector<int64_t> counts(static_cast<size_t>(range.rows));
  int64_t row = range.first_row();
  for (FoundBlock& block : blocks) {
    for (const int64_t count : block.counts) counts[static_cast<size_t>(row++)] = count;
    all.indices.insert(all.indices.end(), block.indices.begin(), block.indices.end());
    all.distances.insert(all.distances.end(), block.distances.begin(), block.distances.end());
    block = {};
  }
  share_rows(counts, range, 1, ctx);
  all.starts.assign(1, 0);
  for (const int64_t count : counts) all.starts.push_back(all.starts.back() + count);
  if (ctx.ranks() == 1) return all;
  const auto gathered = [&]<class T>(std::vector<T>& mine) {
    std::vector<T> joined;
    joined.reserve(static_cast<size_t>(all.starts.back()));
    for (const Bytes& part : ctx.comm->all_gather(std::as_bytes(std::span<const T>(mine)))) {
      const auto* values = reinterpret_cast<const T*>(part.data());
      joined.insert(joined.end(), values, values + part.size() / sizeof(T));
    }
    mine = std::move(joined);
  };
  gathered(all.indices);
  gathered(all.distances);
  return all;
}

void PairBudget::take(int64_t pairs) {
  const int64_t bytes = 16 * (pairs_ += pairs);
  if (bytes <= memory_ / 2) return;
  fail(ErrorCode::kMemory, "--radius",
       "so many pairs lie within it that they take more than half of the " + to_text(memory_) + " bytes of the memory budget",
       "give a smaller --radius, leave it out for the nearest few, or give a larger --memory");
}

}  // namespace sluice::detail
