#include "sluice/core/normalised.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "sluice/kernels/dist64.h"

namespace sluice {

NormalisedSource::NormalisedSource(const Source& base) : base_(&base) {
  names = base.names;
  stats.measured = true;
  stats.content = base.stats.content;
  ColumnStatistics unit;
  unit.finite = base.rows();
  unit.min = -1;
  unit.max = 1;
  unit.integers = false;
  unit.fits_f32 = false;
  unit.median_exponent = -static_cast<int>(std::bit_width(static_cast<uint64_t>(base.cols()))) / 2 - 2;
  unit.sum_exponent = static_cast<int>(std::bit_width(static_cast<uint64_t>(base.rows()))) + 1;
  stats.columns.assign(static_cast<size_t>(base.cols()), unit);
}

double normalise(double* row, int64_t cols) {
  double largest = 0;
  for (int64_t j = 0; j < cols; ++j) largest = std::max(largest, std::fabs(row[j]));
  if (largest == 0) return 0;
  // Very large and very small rows by a power of two first, so that no square over- or underflows.
  int exponent = 0;
  if (largest > 0x1p400 || largest < 0x1p-400) {
    std::frexp(largest, &exponent);
    for (int64_t j = 0; j < cols; ++j) row[j] = std::ldexp(row[j], -exponent);
  }
  const double length = std::sqrt(kernels::dot(row, row, cols));
  for (int64_t j = 0; j < cols; ++j) row[j] /= length;
  return std::ldexp(length, exponent);
}

MatrixBlock NormalisedSource::read(int64_t first, int64_t count, BlockBuffer& buffer) const {
  const MatrixBlock raw = base_->read(first, count, buffer.inner());
  const int64_t cols = base_->cols();
  auto* out = reinterpret_cast<double*>(buffer.reserve(static_cast<size_t>(count * cols) * sizeof(double)));
  for (int64_t i = 0; i < count; ++i) {
    double* row = out + i * cols;
    const double* from = raw.row(i, row);
    if (from != row) std::copy(from, from + cols, row);
    normalise(row, cols);
  }
  return {DType::kF64, out, count, cols, cols, first, raw.weights};
}

}  // namespace sluice
