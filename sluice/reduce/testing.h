// Rows for this room's tests, and contexts to fit them in.
#pragma once
#include <cmath>
#include <memory>
#include <vector>

#include "sluice/core/context.h"
#include "sluice/core/random.h"
#include "sluice/core/source.h"
#include "sluice/core/statistics.h"

namespace sluice::testing {

inline Context context(int threads = 1, int64_t leaf = 0) {
  Context ctx;
  ctx.threads = threads;
  ctx.leaf_rows = leaf;
  return ctx;
}

// A measured source.
inline MemorySource source_of(std::vector<double> values, int64_t cols) {
  const auto rows = static_cast<int64_t>(values.size()) / cols;
  MemorySource source(std::move(values), rows, cols);
  Context ctx;
  source.stats = measure(source, ctx);
  return source;
}

// Correlated normal values: column j has about the spread 4 * falling^j, and everything lies about `offset`.
inline std::vector<double> sample(int64_t rows, int64_t cols, double falling = 0.9, double offset = 0, uint64_t seed = 1) {
  std::vector<double> values(static_cast<size_t>(rows * cols));
  std::vector<double> latent(static_cast<size_t>(cols));
  for (int64_t i = 0; i < rows; ++i) {
    Random random(seed, RandomStage::kSubsample, static_cast<uint64_t>(i));
    double spread = 4;
    for (double& x : latent) {
      x = random.normal() * spread;
      spread *= falling;
    }
    for (int64_t j = 0; j < cols; ++j) {
      const auto at = static_cast<size_t>(j);
      values[static_cast<size_t>(i * cols + j)] = offset + 0.8 * latent[at] + 0.6 * latent[static_cast<size_t>((j + 1) % cols)];
    }
  }
  return values;
}

// The largest |a - b| / scale, infinite where the lengths differ.
inline double worst(const std::vector<double>& a, const std::vector<double>& b, double scale = 1) {
  double most = a.size() == b.size() ? 0 : INFINITY;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const double apart = std::fabs(a[i] - b[i]) / scale;
    if (!(apart <= most)) most = apart;
  }
  return most;
}

}  // namespace sluice::testing
