// Two-dimensional Fourier transforms for convolutions on a square grid, in plain arithmetic: the same bits on every CPU and for any threads.
// The spectrum comes in an order of its own (that of the butterflies), the same for every transform of a side, which products of spectra do
// not mind; there is no other use for it. Cooley and Tukey 1965, doi:10.1090/S0025-5718-1965-0178586-1.
#pragma once
#include <cstdint>
#include <vector>

#include "sluice/core/context.h"

namespace sluice {

// A grid of complex numbers, row by row, its real and imaginary parts apart.
struct ComplexGrid {
  std::vector<double> re, im;
};

class Fourier {
 public:
  // side: 3 or 1 times a power of two, at least 16; see fitting().
  explicit Fourier(int64_t side);
  // The smallest side that is at least `wanted`.
  static int64_t fitting(int64_t wanted);
  int64_t side() const { return side_; }

  // grid (side x side): only its first `used` rows and columns may hold other than zeros. spectrum: side x side. Not scaled. Cost
  // O(side^2 log side) on ctx.threads.
  void forward(const ComplexGrid& grid, int64_t used, ComplexGrid& spectrum, const Context& ctx);
  // The first `used` rows and columns of the grid of a spectrum, times side^2; other places of `grid` keep what they had.
  void backward(const ComplexGrid& spectrum, int64_t used, ComplexGrid& grid, const Context& ctx);

 private:
  struct Stage {
    int64_t length = 0;            // of the transforms that the stage cuts
    int radix = 2;                 // into so many
    std::vector<double> cos, sin;  // factors: (radix - 1) for each place
  };
  template <bool kForward>
  void columns(const ComplexGrid& from, int64_t rows_in, int64_t cols, int64_t rows_out, ComplexGrid& to, const Context& ctx) const;
  void transform(double* re, double* im, bool forward) const;
  int64_t side_;
  std::vector<Stage> stages_;
  ComplexGrid between_;
};

}  // namespace sluice
