// Sums and sums of squares of centred columns over one leaf: means and variances without E[x^2] - E[x]^2.
// Use for one leaf at a time; leaf totals are added exactly elsewhere. For products of columns see syrk.h.
#pragma once
#include "sluice/kernels/rows.h"

namespace sluice::kernels {

// sum[j] += y and sum_sq[j] = fma(y, y, sum_sq[j]) for every row in row order, y = x - center[j] in double. d = rows.cols values each.
// sum_sq may be null. Cost O(rows d), no memory. Determinism: one chain a column over the rows, so bits depend neither on the CPU, nor on
// how the rows are cut into calls, nor on float32 or float64 storage of equal values.
void column_sums(const RowsView& rows, const double* center, double* sum, double* sum_sq) noexcept;

}  // namespace sluice::kernels
