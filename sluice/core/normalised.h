// A view of a source whose rows have length 1 (Euclidean): what cosine methods work on. A zero row stays zero.
// Values are computed in float64 at each read: x / |x| with |x| = sqrt(dot(x, x)) of kernels/dist64.h. Weights pass through.
// Cost: O(d) a row and read. Statistics are those of unit rows by construction (|x| <= 1), not measured.
#pragma once
#include "sluice/core/source.h"

namespace sluice {

class NormalisedSource final : public Source {
 public:
  // `base` must outlive it.
  explicit NormalisedSource(const Source& base);
  int64_t rows() const override { return base_->rows(); }
  int64_t cols() const override { return base_->cols(); }
  DType dtype() const override { return DType::kF64; }
  double max_weight() const override { return base_->max_weight(); }
  MatrixBlock read(int64_t first, int64_t count, BlockBuffer& buffer) const override;
  bool sparse() const override { return base_->sparse(); }
  CsrBlock read_csr(int64_t first, int64_t count, BlockBuffer& buffer) const override;

 private:
  const Source* base_;
};

// One row in place; returns its length before.
double normalise(double* row, int64_t cols);
// The same of a row's non-zeros, to the same bits.
double normalise(const int32_t* indices, double* values, int64_t count);

}  // namespace sluice
