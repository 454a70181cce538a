#include "sluice/core/normalised.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "sluice/kernels/dist64.h"
#include "sluice/kernels/sparse_rows.h"

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

namespace {

// Makes `values` unit length, squares() being their dot product with themselves; returns the length before.
template <class Squares>
double scale_to_unit(double* values, int64_t count, const Squares& squares) {
  double largest = 0;
  for (int64_t j = 0; j < count; ++j) largest = std::max(largest, std::fabs(values[j]));
  if (largest == 0) return 0;
  // Very large and very small rows by a power of two first, so that no square over- or underflows.
  int exponent = 0;
  if (largest > 0x1p400 || largest < 0x1p-400) {
    std::frexp(largest, &exponent);
    for (int64_t j = 0; j < count; ++j) values[j] = std::ldexp(values[j], -exponent);
  }
  const double length = std::sqrt(squares());
  for (int64_t j = 0; j < count; ++j) values[j] /= length;
  return std::ldexp(length, exponent);
}

}  // namespace

double normalise(double* row, int64_t cols) {
  return scale_to_unit(row, cols, [&] { return kernels::dot(row, row, cols); });
}

double normalise(const int32_t* indices, double* values, int64_t count) {
  return scale_to_unit(values, count, [&] { return kernels::sparse_square(indices, values, count); });
}

CsrBlock NormalisedSource::read_csr(int64_t first, int64_t count, BlockBuffer& buffer) const {
  CsrBlock raw = base_->read_csr(first, count, buffer.inner());
  const int64_t entries = raw.begin(count);
  auto* out = reinterpret_cast<double*>(buffer.reserve(std::max<size_t>(64, static_cast<size_t>(entries) * sizeof(double))));
  std::copy(raw.values, raw.values + entries, out);
  for (int64_t i = 0; i < count; ++i) normalise(raw.indices + raw.begin(i), out + raw.begin(i), raw.count(i));
  raw.values = out;
  return raw;
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
