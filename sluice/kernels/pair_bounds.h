// The certificate of pairs.h: what a float32 score of two rows proves about their float64 distance.
//
// Notation. A row x stands in the filter as x~ = float32((x - shift) 2^-s); E_x >= the norm of (x - shift) 2^-s - x~, computed from the
// residuals. u = 2^-24, n = d + 8, e = n u / (1 - n u): d roundings of a chain and eight to spare for the roundings named below.
// D = distance, D~ = distance of x~ and c~, both scaled; |D - D~| <= E_x + E_c = E (triangle inequality, 1- or 2-norm).
//
// kSquaredEuclidean: the score is the chain s = K_c - x~.c~ with K_c = |c~|^2 / 2, so D~^2 / 2 = s + Q, Q = |x~|^2 / 2, in real numbers.
//   The chain errs by <= e (K_c + |x~||c~|) <= e (2 K_c + Q): the chain starts at K_c (1 - 2 e), and the part of x goes to the threshold:
//   exact s >= score - e Q, and exact s <= score + m_c + e Q with m_c = 4 e K_c.
// kManhattan: the score is the sum of |x~_j - c~_j|, all terms of one sign: it errs by the factor 1 +- e.
// kCosine: the score is -x~.c~; it errs by e |x~||c~| and from x.c by E_x |c| + |x~| E_c; the distance is 1 + score.
//
// Underflow: each of the d steps loses <= 2^-126 (1 + |x~_j| + |c~_j|) even where denormals are flushed: the terms `tiny`.
// dist64 errs by the factor 1 +- g, g = (d + 32) 2^-53 (dist64.h: n / 8 + 6 roundings), and by d 2^-1074 where squares underflow.
// Bounds themselves are computed in double; 2^-40 covers their roundings. A row outside the range of float32 gets the score -infinity
// and an infinite margin: it is never sure. A score is compared with floats rounded to the safe side.
#pragma once
#include <cmath>
#include <cstdint>
#include <limits>

#include "sluice/kernels/metric.h"

namespace sluice::kernels {

// Of one converted row: upper bounds of |x~| and E_x (1-norms for kManhattan, else 2-norms), and |x~|^2 / 2. usable: see above.
struct PairRowBound {
  double norm = 0;
  double residual = 0;
  double half_square = 0;
  bool usable = true;
};

inline float float_up(double v) {
  const float f = static_cast<float>(v);
  return static_cast<double>(f) < v ? std::nextafterf(f, std::numeric_limits<float>::infinity()) : f;
}
inline float float_down(double v) {
  const float f = static_cast<float>(v);
  return static_cast<double>(f) > v ? std::nextafterf(f, -std::numeric_limits<float>::infinity()) : f;
}

struct PairBounds {
  static constexpr double kInfinity = std::numeric_limits<double>::infinity();
  static constexpr double kUp = 1 + 0x1p-40;
  static constexpr double kDown = 1 - 0x1p-40;

  Metric metric;
  int scale_exponent;
  double d;
  double chain;               // e
  double tiny;                // d 2^-124, a factor 4 to spare
  double wide;                // 2 g
  double other_norm = 0;      // largest |c~| of block b
  double other_residual = 0;  // largest E_c of block b

  PairBounds(Metric metric, int64_t cols, int scale_exponent)
      : metric(metric), scale_exponent(scale_exponent), d(static_cast<double>(cols)) {
    const double n = (d + 8) * 0x1p-24;
    chain = n < 0.25 ? n / (1 - n) : kInfinity;
    tiny = (d + 1) * 0x1p-124;
    wide = (d + 32) * 0x1p-52;
  }

  // From the sums over a converted row: of |x~_j| and |residual_j| (kManhattan) or of their squares.
  PairRowBound row(double sum, double residual_sum) const {
    const bool one_norm = metric == Metric::kManhattan;
    PairRowBound x;
    x.half_square = 0.5 * sum;
    x.norm = (one_norm ? sum : std::sqrt(sum)) * (1 + 0x1p-30);
    x.residual = (one_norm ? residual_sum : std::sqrt(residual_sum)) * (1 + 0x1p-30) + 0x1p-51 * x.norm + d * 0x1p-500;
    x.usable = x.norm < 0x1p50 && x.residual < 0x1p50 && chain < 1;  // false for NaN too
    return x;
  }

  // Where the score of a row of b starts.
  float start(const PairRowBound& c) const {
    if (!c.usable) return -std::numeric_limits<float>::infinity();
    return metric == Metric::kSquaredEuclidean ? float_down(c.half_square * (1 - 2 * chain) - tiny * (1 + c.norm)) : 0.0F;
  }
  float margin(const PairRowBound& c) const {
    if (!c.usable) return std::numeric_limits<float>::infinity();
    return metric == Metric::kSquaredEuclidean ? float_up(4 * chain * c.half_square + 4 * tiny * (1 + c.norm)) : 0.0F;
  }

  // A pair with score > above(x, limit) has a float64 distance > limit.
  float above(const PairRowBound& x, double limit) const {
    if (!x.usable) return std::numeric_limits<float>::infinity();
    const double e = x.residual + other_residual;
    if (metric == Metric::kCosine) return float_up(limit - 1 + cosine_error(x, limit));
    const double far = (limit * (1 + wide) + d * 0x1p-1072) * kUp;
    if (metric == Metric::kManhattan) return float_up((std::ldexp(far, -scale_exponent) + e) * (1 + chain) * kUp + 4 * tiny * (1 + x.norm));
    const double reach = std::ldexp(std::sqrt(far) * kUp, -scale_exponent) + e + 0x1p-1000;
    return float_up(0.5 * reach * reach * kUp - x.half_square * (1 - chain) + tiny * (1 + x.norm));
  }

  // A pair with float32(score + margin) <= below(x, limit) has a float64 distance <= limit. NaN (never) where nothing can be sure.
  float below(const PairRowBound& x, double limit) const {
    constexpr float kNever = std::numeric_limits<float>::quiet_NaN();
    if (!x.usable) return kNever;
    const double e = x.residual + other_residual;
    if (metric == Metric::kCosine) return shrink(limit - 1 - cosine_error(x, limit));
    const double near = (limit * (1 - wide) - d * 0x1p-1072) * kDown;
    if (!(near > 0) || near == kInfinity) return kNever;
    if (metric == Metric::kManhattan) {
      const double reach = std::ldexp(near, -scale_exponent) - e;
      return reach > 0 ? shrink(reach * (1 - chain) * kDown - 4 * tiny * (1 + x.norm)) : kNever;
    }
    const double reach = std::ldexp(std::sqrt(near) * kDown, -scale_exponent);
    if (!(reach > 0x1p-900) || !(reach * kDown > e)) return kNever;
    const double sure = reach * kDown - e;
    return shrink(0.5 * sure * sure * kDown - x.half_square * (1 + chain) - tiny * (1 + x.norm));
  }

  // At least the float64 distance of every pair whose score + margin is at most `score`.
  double reach(const PairRowBound& x, double score) const {
    if (!x.usable) return kInfinity;
    const double e = x.residual + other_residual;
    if (metric == Metric::kCosine) return (1 + score) + 2 * cosine_error(x, 2);
    const double underflow = d * 0x1p-1070;
    if (metric == Metric::kManhattan) {
      const double far = (score * (1 + 2 * chain) + 4 * tiny * (1 + x.norm) + e) * kUp;
      return std::ldexp(far, scale_exponent) * (1 + wide) * kUp + underflow;
    }
    const double square = 2 * (score + x.half_square * (1 + chain) + tiny * (1 + x.norm));
    const double far = std::ldexp((std::sqrt(square > 0 ? square : 0) + e + 0x1p-500) * kUp, scale_exponent);
    return far * far * (1 + wide) * kUp * kUp + underflow;
  }

 private:
  double cosine_error(const PairRowBound& x, double limit) const {
    const double c = other_norm + other_residual;
    return (chain + wide) * (x.norm + x.residual) * c + x.residual * c + x.norm * other_residual + tiny * (1 + x.norm + c) +
           0x1p-48 * (1 + std::fabs(limit)) + 0x1p-48 * x.norm * c;
  }
  // float32(score + margin) itself is rounded: the sum may exceed it by u of its size.
  static float shrink(double v) { return float_down(v - 0x1p-22 * std::fabs(v)); }
};

}  // namespace sluice::kernels
