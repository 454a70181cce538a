// Rows for the tests and benchmarks of syrk, project, moments and pairs: fixed by a seed, with an offset, a scale and a storage type.
#pragma once
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "sluice/kernels/rows.h"

namespace sluice::kernels {

struct SampleRows {
  std::vector<double> wide;
  std::vector<float> narrow;
  RowsView view;
  std::vector<double> center;
};

// Normal values times scale plus offset. A float32 copy holds the rounded values, and `wide` then the same values widened.
inline SampleRows make_sample_rows(int64_t rows, int64_t cols, bool is_f64, uint64_t seed, double offset = 0, double scale = 1) {
  SampleRows out;
  const int64_t stride = cols + 3;
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  out.wide.resize(static_cast<size_t>(rows * stride), std::nan(""));  // padding must not be read
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t j = 0; j < cols; ++j) out.wide[r * stride + j] = offset + scale * normal(random);
  }
  out.narrow.assign(out.wide.begin(), out.wide.end());
  if (!is_f64) out.wide.assign(out.narrow.begin(), out.narrow.end());
  out.center.assign(cols, offset);
  for (int64_t j = 0; j < cols; ++j) out.center[j] += 0.1 * scale * normal(random);
  out.view = {is_f64 ? static_cast<const void*>(out.wide.data()) : out.narrow.data(), is_f64, rows, cols, stride};
  return out;
}

}  // namespace sluice::kernels
