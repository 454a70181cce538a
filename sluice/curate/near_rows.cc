// Near duplicates: rows in order, in batches, each batch against the kept rows of its labels and within itself.
#include "sluice/curate/near_rows.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "sluice/core/error.h"
#include "sluice/core/text.h"
#include "sluice/curate/curate.h"
#include "sluice/kernels/dist64.h"
#include "sluice/neighbors/knn.h"

namespace sluice {
namespace {

constexpr auto kMetric = kernels::Metric::kSquaredEuclidean;

// Rows of one label: their numbers, and their values one after another.
struct Rows {
  std::vector<int64_t> number;
  std::vector<double> values;
  const double* row(int64_t i, int64_t cols) const { return values.data() + i * cols; }
};

// As a source that leaves the values where they are. The bounds of all rows hold for some of them.
MemorySource source_of(const Rows& some, const Source& all) {
  MemorySource out(DType::kF64, some.values.data(), static_cast<int64_t>(some.number.size()), all.cols(), all.cols(), nullptr);
  out.names = all.names;
  out.stats = all.stats;
  return out;
}

// Products and sums up to which ranks that all do the work are done before they have shared it.
constexpr int64_t kWorthSharing = int64_t{1} << 28;

void check_stop(const Context& ctx) {
  const int64_t goes_on = ctx.stopped() ? 0 : 1;
  if ((ctx.ranks() > 1 ? all_min(*ctx.comm, goes_on) : goes_on) == 0)
    fail(ErrorCode::kInterrupted, "run", "stopped on request", "run the same command again to go on");
}

// Rows of a batch such that all pairs among them, and their values, are a small part of the budget.
int64_t most_rows(int64_t cols, const Context& ctx) {
  const auto pairs = static_cast<int64_t>(std::sqrt(static_cast<double>(ctx.memory) / 256));
  return std::clamp<int64_t>(std::min(pairs, ctx.memory / 64 / cols), 64, 16'384);
}

void check_memory(int64_t kept, int64_t cols, const Context& ctx) {
  if (kept * cols * 8 <= ctx.memory / 2) return;
  fail(ErrorCode::kMemory, "dedup_distance",
       to_text(kept) + " kept rows of " + to_text(cols) + " columns take more than half of the " + to_text(ctx.memory) +
           " bytes of the memory budget",
       "give a larger --memory, or dedup_distance 0, which needs no kept rows");
}

// A kept row and how far it is, squared; ordered by that, then by row.
struct Near {
  double square = 0;
  int64_t row = -1;
  bool beats(const Near& other) const { return other.row < 0 || square < other.square || (square == other.square && row < other.row); }
};

// Decides the rows of one label in a batch, and adds those kept to `kept`.
void decide(const Rows& batch, Rows& kept, const Source& all, double distance, Witnesses& out, Context& ctx) {
  const int64_t cols = all.cols(), rows = static_cast<int64_t>(batch.number.size());
  const MemorySource mine = source_of(batch, all);
  std::vector<Near> best(batch.number.size());
  if (!kept.number.empty()) {
    const Neighbors nearest = knn_search(source_of(kept, all), mine, 1, kMetric, ctx);
    for (int64_t i = 0; i < rows; ++i) {
      const int64_t at = nearest.indices[static_cast<size_t>(i)];
      best[static_cast<size_t>(i)] = {kernels::squared_distance(batch.row(i, cols), kept.row(at, cols), cols),
                                      kept.number[static_cast<size_t>(at)]};
    }
  }
  const RadiusNeighbors pairs = radius_graph(mine, distance, kMetric, ctx);
  for (int64_t i = 0; i < rows; ++i) {
    Near& near = best[static_cast<size_t>(i)];
    for (int64_t p = pairs.starts[static_cast<size_t>(i)]; p < pairs.starts[static_cast<size_t>(i) + 1]; ++p) {
      const int64_t other = pairs.indices[static_cast<size_t>(p)];
      const int64_t number = batch.number[static_cast<size_t>(other)];
      if (other > i || out.row[static_cast<size_t>(number)] >= 0) continue;
      const Near candidate{kernels::squared_distance(batch.row(i, cols), batch.row(other, cols), cols), number};
      if (candidate.beats(near)) near = candidate;
    }
    const auto row = static_cast<size_t>(batch.number[static_cast<size_t>(i)]);
    if (near.row >= 0 && std::sqrt(near.square) <= distance) {
      out.row[row] = near.row;
      out.distance[row] = std::sqrt(near.square);
      continue;
    }
    kept.number.push_back(batch.number[static_cast<size_t>(i)]);
    kept.values.insert(kept.values.end(), batch.row(i, cols), batch.row(i, cols) + cols);
  }
}

// The rows [at, at + count), by label.
std::map<int32_t, Rows> read_batch(const Source& rows, const std::vector<int32_t>& labels, int64_t at, int64_t count) {
  std::map<int32_t, Rows> out;
  BlockBuffer buffer;
  std::vector<double> scratch(static_cast<size_t>(rows.cols()));
  const MatrixBlock block = rows.read(at, count, buffer);
  for (int64_t i = 0; i < count; ++i) {
    Rows& to = out[labels[static_cast<size_t>(at + i)]];
    const double* values = block.row(i, scratch.data());
    to.number.push_back(at + i);
    to.values.insert(to.values.end(), values, values + rows.cols());
  }
  return out;
}

}  // namespace

Witnesses near_witnesses(const Source& rows, const std::vector<int32_t>& labels, double distance, Context& ctx) {
  Witnesses out{std::vector<int64_t>(labels.size(), -1), std::vector<double>(labels.size(), 0.0)};
  Context shared = ctx;
  shared.progress = nullptr;                                            // the searches' own says nothing of the whole
  if (ctx.ranks() > 1) shared.memory = all_min(*ctx.comm, ctx.memory);  // by which all ranks cut alike
  Context alone = shared;
  alone.comm = nullptr;
  alone.stop = nullptr;  // ranks stop together, between batches
  std::map<int32_t, Rows> kept;
  int64_t total = 0;
  const int64_t most = most_rows(rows.cols(), shared);
  ctx.stage("near duplicates", rows.rows());
  for (int64_t at = 0; at < rows.rows();) {
    const int64_t count = std::min({most, rows.rows() - at, std::max<int64_t>(1024, at)});
    check_stop(ctx);
    for (auto& [label, batch] : read_batch(rows, labels, at, count)) {
      Rows& stay = kept[label];
      const auto before = static_cast<int64_t>(stay.number.size());
      const auto mine = static_cast<int64_t>(batch.number.size());
      const bool small = mine * (before + mine) * rows.cols() < kWorthSharing;
      decide(batch, stay, rows, distance, out, small ? alone : shared);
      total += static_cast<int64_t>(stay.number.size()) - before;
      check_memory(total, rows.cols(), shared);
    }
    ctx.step(at += count);
  }
  return out;
}

}  // namespace sluice
