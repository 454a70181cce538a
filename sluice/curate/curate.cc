#include "sluice/curate/curate.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <map>
#include <unordered_map>

#include "sluice/core/error.h"
#include "sluice/core/fold.h"
#include "sluice/kernels/dist64.h"

namespace sluice {
namespace {

// Calls f(row number, values) for every row in order; a zero is +0 in what f sees.
template <class F>
void each_row(const Source& rows, Context& ctx, const F& f) {
  BlockBuffer buffer;
  std::vector<double> values(static_cast<size_t>(rows.cols()));
  const int64_t step = leaf_rows(rows.cols(), ctx);
  for (int64_t at = 0; at < rows.rows(); at += step) {
    if (ctx.stopped()) fail(ErrorCode::kInterrupted, "run", "stopped on request", "run the same command again to go on");
    const MatrixBlock block = rows.read(at, std::min(step, rows.rows() - at), buffer);
    for (int64_t i = 0; i < block.rows; ++i) {
      const double* from = block.row(i, values.data());
      for (size_t j = 0; j < values.size(); ++j) values[j] = from[j] + 0.0;
      f(at + i, values);
    }
  }
}

std::vector<int64_t> equal_witnesses(const Source& rows, const std::vector<int32_t>& labels, Context& ctx) {
  std::vector<int64_t> witness(labels.size(), -1);
  std::unordered_map<uint64_t, std::vector<int64_t>> kept;  // hash -> kept rows with it, ascending
  kept.reserve(labels.size());
  each_row(rows, ctx, [&](int64_t row, const std::vector<double>& values) {
    const int32_t label = labels[static_cast<size_t>(row)];
    auto& candidates = kept[XXH3_64bits_withSeed(values.data(), values.size() * 8, static_cast<uint64_t>(static_cast<uint32_t>(label)))];
    for (const int64_t candidate : candidates) {
      if (labels[static_cast<size_t>(candidate)] != label || read_row(rows, candidate) != values) continue;
      witness[static_cast<size_t>(row)] = candidate;
      return;
    }
    candidates.push_back(row);
  });
  return witness;
}

std::vector<int64_t> near_witnesses(const Source& rows, const std::vector<int32_t>& labels, double distance, Context& ctx) {
  struct Kept {
    std::vector<int64_t> rows;
    std::vector<double> values;
  };
  std::vector<int64_t> witness(labels.size(), -1);
  std::map<int32_t, Kept> clusters;
  const double limit = distance * distance;
  const int64_t cols = rows.cols();
  each_row(rows, ctx, [&](int64_t row, const std::vector<double>& values) {
    Kept& kept = clusters[labels[static_cast<size_t>(row)]];
    for (size_t i = 0; i < kept.rows.size(); ++i) {
      if (kernels::squared_distance(values.data(), kept.values.data() + static_cast<int64_t>(i) * cols, cols) > limit) continue;
      witness[static_cast<size_t>(row)] = kept.rows[i];
      return;
    }
    kept.rows.push_back(row);
    kept.values.insert(kept.values.end(), values.begin(), values.end());
  });
  return witness;
}

}  // namespace

std::vector<int64_t> duplicate_witnesses(const Source& rows, const std::vector<int32_t>& labels, double distance, Context& ctx) {
  return distance > 0 ? near_witnesses(rows, labels, distance, ctx) : equal_witnesses(rows, labels, ctx);
}

std::vector<double> balanced_weights(const std::vector<int32_t>& labels, const std::vector<int64_t>& witnesses) {
  std::map<int32_t, int64_t> sizes;
  int64_t kept = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (witnesses[i] >= 0 || labels[i] < 0) continue;
    ++sizes[labels[i]];
    ++kept;
  }
  std::vector<double> weights(labels.size(), 0.0);
  for (size_t i = 0; i < labels.size(); ++i) {
    if (witnesses[i] >= 0) continue;
    weights[i] =
        labels[i] < 0 ? 1.0 : static_cast<double>(kept) / (static_cast<double>(sizes.size()) * static_cast<double>(sizes[labels[i]]));
  }
  return weights;
}

}  // namespace sluice
