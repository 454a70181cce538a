// Sums of doubles as wrapping int64 fixed point, in one or more limbs: exact, associative, and undone by limb_subtract.
// Limb l adds the bits of y = r + magic[l], r being the row's value less what the limbs before took; magic is 1.5 * 2^(52-F).
// The caller takes count * bits(magic) off at the end and proves beforehand that no sum overflows.
// Shapes: row cols; magic and sums limbs x cols, row-major. Cost O(limbs cols). Same bits on every CPU.
#pragma once
#include <cstdint>

#include "sluice/kernels/rows.h"

namespace sluice::kernels {

void limb_add(int64_t* sums, const double* row, const double* magic, int64_t cols, int limbs) noexcept;
void limb_add(int64_t* sums, const float* row, const double* magic, int64_t cols, int limbs) noexcept;

// Takes away exactly what limb_add of the same row added.
void limb_subtract(int64_t* sums, const double* row, const double* magic, int64_t cols, int limbs) noexcept;
void limb_subtract(int64_t* sums, const float* row, const double* magic, int64_t cols, int limbs) noexcept;

// limb_add of every row i of a block into sums + labels[i] * limbs * rows.cols: the update of k-means and of any grouped sum.
// sums: groups x limbs x cols. The next rows' sums are prefetched, so use this rather than a loop over limb_add.
void limb_add_rows(int64_t* sums, const RowsView& rows, const int32_t* labels, const double* magic, int limbs) noexcept;

}  // namespace sluice::kernels
