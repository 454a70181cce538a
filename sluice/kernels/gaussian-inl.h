// gaussian.h for one Highway target. A lane is a row, so a row's chain is the same whatever the width of a vector.
#if defined(SLUICE_KERNELS_GAUSSIAN_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICE_KERNELS_GAUSSIAN_INL_H_
#undef SLUICE_KERNELS_GAUSSIAN_INL_H_
#else
#define SLUICE_KERNELS_GAUSSIAN_INL_H_
#endif

#include <algorithm>
#include <cstdint>

#include "hwy/highway.h"
#include "sluice/kernels/gaussian.h"
#include "sluice/kernels/gaussian_ref.h"
#include "sluice/kernels/tile64-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sluice::kernels {
namespace HWY_NAMESPACE {

constexpr int64_t kGaussRows = 64;                    // rows taken as columns at a time
constexpr int kGroups = HWY_MAX_BYTES == 32 ? 2 : 4;  // vectors of rows a tile: 16 registers hold 2 x 4 sums, 32 hold 4 x 4
constexpr int64_t kGroupRows = kGroups * kLanes64;    // divides kGaussRows
static_assert(kGaussRows % kGroupRows == 0);
using VecD = hn::Vec<Doubles>;

template <class T>
void rows_to_columns(const T* x, int64_t stride, int64_t n, int64_t d, double* to) {
  for (int64_t r = 0; r < n; ++r) {
    for (int64_t j = 0; j < d; ++j) to[j * kGaussRows + r] = static_cast<double>(x[r * stride + j]);
  }
}

// Four columns of y for kGroupRows rows, their squares added to `square` (kGroups vectors). Not inlined on purpose, see tile64-inl.h.
HWY_NOINLINE void square_tile(const double* HWY_RESTRICT z, const double* HWY_RESTRICT factor, int64_t depth, double* HWY_RESTRICT square) {
  const Doubles d;
  VecD y[kGroups][4];
#pragma GCC unroll 4
  for (int m = 0; m < kGroups; ++m) {
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) y[m][v] = hn::Zero(d);
  }
  for (int64_t i = 0; i < depth; ++i, z += kGaussRows, factor += 4) {
    VecD left[kGroups];
#pragma GCC unroll 4
    for (int m = 0; m < kGroups; ++m) left[m] = hn::Load(d, z + m * kLanes64);
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) {
      const VecD right = hn::Set(d, factor[v]);
#pragma GCC unroll 4
      for (int m = 0; m < kGroups; ++m) y[m][v] = hn::MulAdd(left[m], right, y[m][v]);
    }
  }
#pragma GCC unroll 4
  for (int m = 0; m < kGroups; ++m) {
    VecD sum = hn::Load(d, square + m * kLanes64);
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) sum = hn::MulAdd(y[m][v], y[m][v], sum);
    hn::Store(sum, d, square + m * kLanes64);
  }
}

inline void dense_squares(const double* columns, int64_t padded, int64_t d, const double* mean, const double* factor, double* centered,
                          double* square) {
  const Doubles dd;
  for (int64_t j = 0; j < d; ++j) {
    const VecD m = hn::Set(dd, mean[j]);
    for (int64_t r = 0; r < padded; r += kLanes64) {
      hn::Store(hn::Sub(hn::Load(dd, columns + j * kGaussRows + r), m), dd, centered + j * kGaussRows + r);
    }
  }
  for (int64_t r = 0; r < padded; r += kGroupRows) {
    const double* tile = factor;
    for (int64_t j = 0; j < d; j += 4) {
      square_tile(centered + r, tile, std::min(d, j + 4), square + r);
      tile += 4 * (j + 4);
    }
  }
}

HWY_NOINLINE void diagonal_squares(const double* HWY_RESTRICT columns, int64_t padded, int64_t d, const double* HWY_RESTRICT mean,
                                   const double* HWY_RESTRICT factor, double* HWY_RESTRICT square) {
  const Doubles dd;
  for (int64_t r = 0; r < padded; r += kGroupRows) {
    VecD sum[kGroups];
#pragma GCC unroll 4
    for (int m = 0; m < kGroups; ++m) sum[m] = hn::Zero(dd);
    for (int64_t j = 0; j < d; ++j) {
      const VecD center = hn::Set(dd, mean[j]);
      const VecD scale = hn::Set(dd, factor[j]);
#pragma GCC unroll 4
      for (int m = 0; m < kGroups; ++m) {
        const VecD y = hn::Mul(hn::Sub(hn::Load(dd, columns + j * kGaussRows + r + m * kLanes64), center), scale);
        sum[m] = hn::MulAdd(y, y, sum[m]);
      }
    }
#pragma GCC unroll 4
    for (int m = 0; m < kGroups; ++m) hn::Store(sum[m], dd, square + r + m * kLanes64);
  }
}

void GaussianLogs(const RowsView& rows, const GaussianPlan& plan, double* out, int64_t stride, GaussianScratch& scratch) {
  const Doubles dd;
  const int64_t d = plan.cols;
  double* columns = scratch.columns.reserve(d * kGaussRows);
  double* centered = plan.diagonal ? nullptr : scratch.centered.reserve(d * kGaussRows);
  HWY_ALIGN double square[kGaussRows];
  for (int64_t first = 0; first < rows.rows; first += kGaussRows) {
    const int64_t n = std::min(kGaussRows, rows.rows - first);
    const int64_t padded = (n + kGroupRows - 1) / kGroupRows * kGroupRows;  // lanes past n hold zeros or older values
    if (rows.is_f64) {
      rows_to_columns(rows.f64(first), rows.stride, n, d, columns);
    } else {
      rows_to_columns(rows.f32(first), rows.stride, n, d, columns);
    }
    for (int64_t c = 0; c < plan.components; ++c) {
      const double* mean = plan.means.data() + c * d;
      if (plan.diagonal) {
        diagonal_squares(columns, padded, d, mean, plan.factor(c), square);
      } else {
        std::fill_n(square, padded, 0.0);
        dense_squares(columns, padded, d, mean, plan.factor(c), centered, square);
      }
      const VecD constant = hn::Set(dd, plan.constants[static_cast<size_t>(c)]);
      for (int64_t r = 0; r < padded; r += kLanes64) {
        const VecD v = hn::MulAdd(hn::Load(dd, square + r), hn::Set(dd, -0.5), constant);
        hn::Store(hn::Max(v, hn::Set(dd, kLeastLog)), dd, square + r);
      }
      std::copy_n(square, n, out + c * stride + first);
    }
  }
}

// exp_of_negative_ref, lane by lane: the same operations in the same order.
HWY_INLINE VecD exp_lanes(VecD x) {
  const Doubles d;
  const hn::RebindToSigned<Doubles> di;
  const auto enough = hn::Ge(x, hn::Set(d, kLeastExponent));
  x = hn::Max(x, hn::Set(d, kLeastExponent));
  const VecD n = hn::Round(hn::Mul(x, hn::Set(d, kLog2E)));
  const VecD high = hn::NegMulAdd(n, hn::Set(d, kLn2High), x);
  const VecD r = hn::NegMulAdd(n, hn::Set(d, kLn2Low), high);
  const VecD tail = hn::NegMulAdd(n, hn::Set(d, kLn2Low), hn::Sub(high, r));
  VecD p = hn::Set(d, kExpTaylor[kExpTerms - 1]);
#pragma GCC unroll 12
  for (int i = kExpTerms - 2; i >= 0; --i) p = hn::MulAdd(p, r, hn::Set(d, kExpTaylor[i]));
  const VecD one = hn::Add(hn::Set(d, 1.0), hn::Add(hn::MulAdd(hn::Mul(r, r), p, tail), r));
  const auto power = hn::ShiftLeft<52>(hn::Add(hn::ConvertTo(di, n), hn::Set(di, 1023)));
  return hn::IfThenElseZero(enough, hn::Mul(one, hn::BitCast(d, power)));
}

void Responsibilities(double* v, int64_t n, int64_t k, int64_t stride, const double* weights, double* peak, double* sum) {
  const Doubles d;
  const int64_t whole = n / kLanes64 * kLanes64;
  for (int64_t r = 0; r < whole; r += kLanes64) {
    VecD most = hn::LoadU(d, v + r);
    for (int64_t c = 1; c < k; ++c) most = hn::Max(most, hn::LoadU(d, v + c * stride + r));
    VecD total = hn::Zero(d);
    for (int64_t c = 0; c < k; ++c) {
      const VecD e = exp_lanes(hn::Sub(hn::LoadU(d, v + c * stride + r), most));
      hn::StoreU(e, d, v + c * stride + r);
      total = hn::Add(total, e);
    }
    const VecD factor = hn::Div(weights == nullptr ? hn::Set(d, 1.0) : hn::LoadU(d, weights + r), total);
    for (int64_t c = 0; c < k; ++c) hn::StoreU(hn::Mul(hn::LoadU(d, v + c * stride + r), factor), d, v + c * stride + r);
    hn::StoreU(most, d, peak + r);
    hn::StoreU(total, d, sum + r);
  }
  responsibilities_ref(v, whole, n, k, stride, weights, peak, sum);
}

// kVectors vectors of columns over all rows.
template <int kVectors, bool kSquares, class T>
HWY_INLINE void weighted_columns(const T* x, int64_t stride, int64_t n, const double* center, const double* weights, double* sum,
                                 double* sum_sq) {
  const Doubles d;
  VecD about[kVectors], first[kVectors], second[kVectors];
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
    about[v] = hn::LoadU(d, center + v * kLanes64);
    first[v] = hn::LoadU(d, sum + v * kLanes64);
    second[v] = kSquares ? hn::LoadU(d, sum_sq + v * kLanes64) : hn::Zero(d);
  }
  for (int64_t r = 0; r < n; ++r) {
    const VecD w = hn::Set(d, weights[r]);
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const VecD y = hn::Sub(load_doubles(x + r * stride + v * kLanes64), about[v]);
      first[v] = hn::MulAdd(w, y, first[v]);
      if (kSquares) second[v] = hn::MulAdd(hn::Mul(w, y), y, second[v]);
    }
  }
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
    hn::StoreU(first[v], d, sum + v * kLanes64);
    if (kSquares) hn::StoreU(second[v], d, sum_sq + v * kLanes64);
  }
}

template <bool kSquares, class T>
HWY_NOINLINE void weighted_sums(const T* x, int64_t stride, int64_t n, int64_t whole, const double* center, const double* weights,
                                double* sum, double* sum_sq) {
  int64_t j = 0;
  for (; j + 4 * kLanes64 <= whole; j += 4 * kLanes64) {
    weighted_columns<4, kSquares>(x + j, stride, n, center + j, weights, sum + j, sum_sq + j);
  }
  for (; j + kLanes64 <= whole; j += kLanes64) {
    weighted_columns<1, kSquares>(x + j, stride, n, center + j, weights, sum + j, sum_sq + j);
  }
}

template <class T>
void weighted_sums(const T* x, int64_t stride, int64_t n, int64_t whole, const double* center, const double* weights, double* sum,
                   double* sum_sq) {
  if (sum_sq != nullptr) return weighted_sums<true>(x, stride, n, whole, center, weights, sum, sum_sq);
  weighted_sums<false>(x, stride, n, whole, center, weights, sum, sum);
}

void WeightedColumnSums(const RowsView& rows, const double* center, const double* weights, double* sum, double* sum_sq) {
  const int64_t whole = rows.cols / kLanes64 * kLanes64;
  if (whole > 0) {
    if (rows.is_f64) {
      weighted_sums(rows.f64(0), rows.stride, rows.rows, whole, center, weights, sum, sum_sq);
    } else {
      weighted_sums(rows.f32(0), rows.stride, rows.rows, whole, center, weights, sum, sum_sq);
    }
  }
  weighted_column_sums_ref(rows, center, weights, whole, sum, sum_sq);
}

// One vector of the eight lanes at a time over all rows, the sums in registers.
template <int kCols>
HWY_NOINLINE void narrow_lanes(const double* HWY_RESTRICT columns, int64_t stride, int64_t n, const double* HWY_RESTRICT center,
                               const double* HWY_RESTRICT weights, double* HWY_RESTRICT lanes) {
  constexpr int kProducts = kCols * (kCols + 1) / 2;
  const Doubles d;
  VecD weight = hn::LoadU(d, lanes), about[kCols], first[kCols], second[kProducts];
#pragma GCC unroll 4
  for (int j = 0; j < kCols; ++j) {
    about[j] = hn::Set(d, center[j]);
    first[j] = hn::LoadU(d, lanes + 8 * (1 + j));
  }
#pragma GCC unroll 10
  for (int e = 0; e < kProducts; ++e) second[e] = hn::LoadU(d, lanes + 8 * (1 + kCols + e));
  for (int64_t r = 0; r < n; r += 8) {
    const VecD w = hn::LoadU(d, weights + r);
    weight = hn::Add(weight, w);
    VecD y[kCols];
#pragma GCC unroll 4
    for (int j = 0; j < kCols; ++j) {
      y[j] = hn::Sub(hn::LoadU(d, columns + j * stride + r), about[j]);
      first[j] = hn::MulAdd(w, y[j], first[j]);
    }
    int e = 0;
#pragma GCC unroll 4
    for (int i = 0; i < kCols; ++i) {
      const VecD left = hn::Mul(w, y[i]);
#pragma GCC unroll 4
      for (int j = i; j < kCols; ++j, ++e) second[e] = hn::MulAdd(left, y[j], second[e]);
    }
  }
  hn::StoreU(weight, d, lanes);
#pragma GCC unroll 4
  for (int j = 0; j < kCols; ++j) hn::StoreU(first[j], d, lanes + 8 * (1 + j));
#pragma GCC unroll 10
  for (int e = 0; e < kProducts; ++e) hn::StoreU(second[e], d, lanes + 8 * (1 + kCols + e));
}

void NarrowMoments(const double* columns, int64_t stride, int64_t n, int64_t d, const double* center, const double* weights,
                   double* lanes) {
  const int64_t whole = n / 8 * 8;
  for (int64_t l = 0; l < 8; l += kLanes64) {
    const auto run = d == 1 ? narrow_lanes<1> : d == 2 ? narrow_lanes<2> : d == 3 ? narrow_lanes<3> : narrow_lanes<4>;
    run(columns + l, stride, whole, center, weights + l, lanes + l);
  }
  narrow_moments_ref(columns, stride, whole, n, d, center, weights, lanes);
}

}  // namespace HWY_NAMESPACE
}  // namespace sluice::kernels
HWY_AFTER_NAMESPACE();
#endif
