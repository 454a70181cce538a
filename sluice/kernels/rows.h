// A view of dense rows as the kernels see them: row-major, float32 or float64, any stride. Owns nothing.
#pragma once
#include <cstdint>

namespace sluice::kernels {

struct RowsView {
  const void* data = nullptr;
  bool is_f64 = true;
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t stride = 0;  // elements from one row to the next

  const double* f64(int64_t row) const { return static_cast<const double*>(data) + row * stride; }
  const float* f32(int64_t row) const { return static_cast<const float*>(data) + row * stride; }
};

}  // namespace sluice::kernels
