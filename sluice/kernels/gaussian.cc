#include "sluice/kernels/gaussian.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sluice/kernels/gaussian.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "sluice/kernels/cpu.h"
#include "sluice/kernels/gaussian-inl.h"
#include "sluice/kernels/gaussian_ref.h"

#if HWY_ONCE
namespace sluice::kernels {

HWY_EXPORT(GaussianLogs);
HWY_EXPORT(Responsibilities);
HWY_EXPORT(WeightedColumnSums);
HWY_EXPORT(NarrowMoments);

int64_t packed_factor_size(int64_t d) {
  const int64_t tiles = (d + 3) / 4;
  return 8 * tiles * (tiles + 1);
}

void pack_factor(const double* upper, int64_t d, double* to) {
  std::fill_n(to, packed_factor_size(d), 0.0);
  for (int64_t t = 0; 4 * t < d; ++t) {
    double* tile = to + 8 * t * (t + 1);
    for (int64_t j = 4 * t; j < std::min(d, 4 * t + 4); ++j) {
      for (int64_t i = 0; i <= j; ++i) tile[i * 4 + j % 4] = upper[i * d + j];
    }
  }
}

void gaussian_logs(const RowsView& rows, const GaussianPlan& plan, double* out, int64_t stride, GaussianScratch& scratch) noexcept {
  if (current_target() == Target::kScalar) return gaussian_logs_ref(rows, plan, out, stride);
  HWY_DYNAMIC_DISPATCH(GaussianLogs)(rows, plan, out, stride, scratch);
}

void responsibilities(double* v, int64_t n, int64_t k, int64_t stride, const double* weights, double* peak, double* sum) noexcept {
  if (current_target() == Target::kScalar) return responsibilities_ref(v, 0, n, k, stride, weights, peak, sum);
  HWY_DYNAMIC_DISPATCH(Responsibilities)(v, n, k, stride, weights, peak, sum);
}

void weighted_column_sums(const RowsView& rows, const double* center, const double* weights, double* sum, double* sum_sq) noexcept {
  if (current_target() == Target::kScalar) return weighted_column_sums_ref(rows, center, weights, 0, sum, sum_sq);
  HWY_DYNAMIC_DISPATCH(WeightedColumnSums)(rows, center, weights, sum, sum_sq);
}

void to_columns(const RowsView& rows, double* columns, int64_t stride) noexcept {
  for (int64_t r = 0; r < rows.rows; ++r) {
    for (int64_t j = 0; j < rows.cols; ++j) columns[j * stride + r] = cell_of(rows, r, j);
  }
}

void narrow_moments(const double* columns, int64_t stride, int64_t n, int64_t d, const double* center, const double* weights,
                    double* lanes) noexcept {
  if (current_target() == Target::kScalar) return narrow_moments_ref(columns, stride, 0, n, d, center, weights, lanes);
  HWY_DYNAMIC_DISPATCH(NarrowMoments)(columns, stride, n, d, center, weights, lanes);
}

double exp_of_negative(double x) noexcept {
  return exp_of_negative_ref(x);
}

}  // namespace sluice::kernels
#endif
