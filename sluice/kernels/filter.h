// Centres packed in float32 for a first look, with the bound that says how far that look can be from dist64.h.
//
// With a power of two s, a float32 shift m, X = s (x - m) and C = s (c - m) as exact reals, and x~, c~ their float32 forms, the filter
// computes
//   squared Euclidean  t_c = |C|^2/2 - X.C   (so s^2 |x - c|^2 = 2 t_c + |X|^2)
//   cosine             t_c = -X.C            (s = 1, m = 0; distance 1 + t_c)
//   Manhattan          t_c = sum |X_j - C_j| (distance t_c / s)
// as t~_c. With u = 2^-24, g = d u / (1 - d u), |X - x~| <= u(1+2^-20)|x~| + sqrt(d) 2^-125 and E = max |C - c~|, Cauchy-Schwarz gives
//   |t~_c - t_c| <= (u' Cmax + E + g Cmax) |x~| + (u + g) Kmax + underflow           Kmax = max |C|^2/2, squared Euclidean; cosine: 0
//   |t~_c - t_c| <= 2 g / (1 - g) t~_c + u' |x~|_1 + max |C - c~|_1 + underflow         Manhattan
// and dist64 itself is off by at most (d/8 + 8) 2^-53, relative (absolute, times 1 + |x||c|, for cosine). Hence every centre whose float64
// distance is not above the smallest one has
//   t~_c <= t~_min + relative |t~_min| + slope norm + square norm^2 + offset,
// norm being |x~| (|x~|_1 for Manhattan). A few centres far outside the rest (a stray value that became a centre) would spoil Cmax, Kmax
// and E for all rows. They get no score: with |C| <= B for the others and |C| >= F for them, no row with |X| <= R = (F - B)/2 less a margin
// can have one as its nearest, by the triangle inequality; rows beyond norm_limit are compared in float64. Kernels that hide an index in
// the low bits of a score add its share to `relative` (index_error). Higham, Accuracy and Stability of Numerical Algorithms, 2002, ch. 3.
#pragma once
#include <cmath>
#include <cstdint>
#include <vector>

#include "sluice/kernels/aligned.h"
#include "sluice/kernels/metric.h"

namespace sluice::kernels {

inline constexpr int64_t kPanel = 32;         // centres side by side where lanes are centres
inline constexpr int64_t kGroup = 10;         // centres side by side where lanes are rows
inline constexpr float kEmptyScore = 2e38f;   // what a slot without a centre scores; above kFilterLimit whatever the row
inline constexpr float kFilterLimit = 1e38f;  // scores, thresholds and squared norms beyond it decide nothing

// All non-negative; valid for scores with up to 16 index bits.
struct FilterBound {
  float relative = 0;
  float slope = 0;
  float square = 0;
  float offset = 0;
};

enum class FilterLayout : uint8_t { kCentresInLanes, kRowsInLanes };

struct FilterCentres {
  bool usable = false;  // false: no bound would hold (values out of float32's range, d or k enormous); compare in float64
  FilterLayout layout = FilterLayout::kCentresInLanes;
  Metric metric = Metric::kSquaredEuclidean;
  int64_t k = 0;
  int64_t d = 0;
  int64_t slots = 0;                // k rounded up to whole panels or groups
  double scale = 1;                 // s, such that B <= 1
  float norm_limit = kFilterLimit;  // rows whose computed norm (squared norm, but for Manhattan) is not below it have no bound
  bool scale_fits_f32 = true;       // else float32 rows have no bound
  AlignedBuffer<float> shift;       // m, then zeros to a multiple of 16
  AlignedBuffer<double> shift64;    // the same values
  AlignedBuffer<float> weights;     // -C: [slot / width][d][width], width = kPanel or kGroup
  AlignedBuffer<float> start;       // a slot's score before its d terms
  FilterBound bound;

  int64_t width() const { return layout == FilterLayout::kRowsInLanes ? kGroup : kPanel; }
};

// Columns of a converted row: d rounded up so that whole vectors may be stored.
inline int64_t padded_cols(int64_t d) {
  return (d + 15) / 16 * 16;
}

// Share of a score's magnitude that `bits` index bits, at the comparison's two ends, and the rounding of the threshold can hide.
inline float index_error(int bits) {
  return std::ldexp(2.5f, bits - 23) + 0x1p-22f;
}

// scale_exponent: the scale's logarithm where the centres give none. split_far: whether far centres may be left out as said above.
FilterCentres pack_centres(Metric metric, const double* centers, int64_t k, int64_t d, const double* shift, int scale_exponent,
                           FilterLayout layout, bool split_far);

}  // namespace sluice::kernels
