// The third kind of block: some consecutive rows of a source, of which only the values that are not zero are kept (csr.h).
#pragma once
#include <cstdint>

#include "sluice/kernels/sparse_rows.h"

namespace sluice {

struct CsrBlock {
  int64_t rows = 0;
  int64_t cols = 0;
  const int64_t* offsets = nullptr;  // rows + 1; row i has entries offsets[i] - offsets[0] up to offsets[i + 1] - offsets[0]
  const int32_t* indices = nullptr;  // columns, ascending within a row
  const double* values = nullptr;    // none 0
  int64_t first_row = 0;             // number of the first row in its source
  const double* weights = nullptr;   // one a row, or null: all 1

  double weight(int64_t row) const { return weights == nullptr ? 1.0 : weights[row]; }
  int64_t begin(int64_t row) const { return offsets[row] - offsets[0]; }
  int64_t count(int64_t row) const { return offsets[row + 1] - offsets[row]; }
  kernels::SparseRows view() const { return {rows, cols, offsets, indices, values}; }
};

}  // namespace sluice
