// Log densities of Gaussian components at rows, what follows from them (responsibilities, the mixture's log density), and weighted sums
// about a centre: the inner loops of Gaussian mixtures. Use for one block of rows at a time. For weighted products of columns see syrk.h.
#pragma once
#include <cstdint>
#include <vector>

#include "sluice/kernels/aligned.h"
#include "sluice/kernels/rows.h"

namespace sluice::kernels {

// Components laid out for the loops; made once a model, read by all threads.
struct GaussianPlan {
  int64_t components = 0;
  int64_t cols = 0;
  bool diagonal = false;
  std::vector<double> means;      // components x cols
  std::vector<double> factors;    // diagonal: components x cols; else each component's factor by tiles of four columns, see pack_factor
  std::vector<double> constants;  // components: what stands before - 1/2 y y
  int64_t factor_size = 0;        // doubles of one component's factor

  // Shares one factor among all components (tied).
  bool shared = false;
  const double* factor(int64_t c) const { return factors.data() + (shared ? 0 : c * factor_size); }
};

// The size of a packed factor of d columns, and the packing of U (d x d row-major, upper triangular, y = z U): tile t holds columns 4 t up to
// 4 t + 3, rows 0 up to 4 t + 3, row by row, zero outside the triangle.
int64_t packed_factor_size(int64_t d);
void pack_factor(const double* upper, int64_t d, double* to);

struct GaussianScratch {
  AlignedBuffer<double> columns;   // rows as columns
  AlignedBuffer<double> centered;  // of one component
};

// out[c * stride + r] = max(constants[c] - sum_j y_j^2 / 2, kLeastLog), y = (row - mean_c) U_c in double: every y_j one chain of fma over
// ascending columns from +0, the squares one chain over ascending j. Cost rows * components * d (d + 5) / 2 fma, diagonal 3 d.
// Memory of a thread: 128 d doubles. Determinism: bits depend neither on the CPU nor on the other rows, nor on float32 or float64 storage.
inline constexpr double kLeastLog = -1e200;
void gaussian_logs(const RowsView& rows, const GaussianPlan& plan, double* out, int64_t stride, GaussianScratch& scratch) noexcept;

// From the logs v of k components (v[c * stride + r], n rows): v becomes weight_r * exp(v_c - m) / sum_c exp(v_c - m), m their maximum, and
// peak[r] = m, sum[r] = that sum (in ascending c), so that the log density is m + log(sum). weights may be null: all 1.
// Responsibilities below e^-70 (4e-31) of the largest count as 0: 2^60 such rows would not move a sum in double.
void responsibilities(double* v, int64_t n, int64_t k, int64_t stride, const double* weights, double* peak, double* sum) noexcept;

// sum[j] = fma(w_r, y, sum[j]) and sum_sq[j] = fma(w_r * y, y, sum_sq[j]) for every row in row order, y = x - center[j]. sum_sq may be null.
// Cost 4 rows d. One chain a column: bits depend neither on the CPU nor on how the rows are cut into calls.
void weighted_column_sums(const RowsView& rows, const double* center, const double* weights, double* sum, double* sum_sq) noexcept;

// For at most kNarrow columns all sums of a component at once, without a panel: lanes[e * 8 + r % 8] of the entries e in this order: weight,
// d times w y, then d (d + 1) / 2 times w y_i y_j (i <= j, row by row of the triangle), y = x - center. `columns`: the rows as columns, row r of
// column j at [j * stride + r]. Add a leaf block by block, each beginning at a multiple of 8, then narrow_total adds up an entry's lanes.
inline constexpr int64_t kNarrow = 4;
inline int64_t narrow_entries(int64_t d) {
  return 1 + d + d * (d + 1) / 2;
}
void to_columns(const RowsView& rows, double* columns, int64_t stride) noexcept;
void narrow_moments(const double* columns, int64_t stride, int64_t n, int64_t d, const double* center, const double* weights,
                    double* lanes) noexcept;
inline double narrow_total(const double* lanes) {
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

// exp(x) for -70 <= x <= 0, the bits of core/math.h's exp64; 0 below. One value, for tests and for the plain path.
double exp_of_negative(double x) noexcept;

}  // namespace sluice::kernels
