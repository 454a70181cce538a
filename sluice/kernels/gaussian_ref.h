// gaussian.h as plain loops: the truth the vector code is tested against.
#pragma once
#include <algorithm>
#include <cmath>

#include "sluice/kernels/gaussian.h"
#include "sluice/kernels/syrk_ref.h"

namespace sluice::kernels {

inline constexpr double kLeastExponent = -70;
inline constexpr double kLog2E = 1.44269504088896340736;
inline constexpr double kLn2High = 6.93147180369123816490e-01;
inline constexpr double kLn2Low = 1.90821492927058770002e-10;
// (e^r - 1 - r) / r^2, the highest power last.
inline constexpr double kExpTaylor[] = {1.0 / 2,     1.0 / 6,      1.0 / 24,      1.0 / 120,      1.0 / 720,       1.0 / 5040,
                                        1.0 / 40320, 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800.0};
inline constexpr int kExpTerms = 12;

inline double exp_of_negative_ref(double x) {
  if (!(x >= kLeastExponent)) return 0;
  const double n = std::nearbyint(x * kLog2E);
  const double high = std::fma(-n, kLn2High, x);
  const double r = std::fma(-n, kLn2Low, high);
  const double tail = std::fma(-n, kLn2Low, high - r);
  double p = kExpTaylor[kExpTerms - 1];
  for (int i = kExpTerms - 2; i >= 0; --i) p = std::fma(p, r, kExpTaylor[i]);
  return std::ldexp(1 + (std::fma(r * r, p, tail) + r), static_cast<int>(n));
}

// Entry (i, j), i <= j, of a packed factor.
inline double packed_entry(const double* packed, int64_t i, int64_t j) {
  const int64_t t = j / 4;
  return packed[8 * t * (t + 1) + i * 4 + j % 4];
}

inline void gaussian_logs_ref(const RowsView& rows, const GaussianPlan& plan, double* out, int64_t stride) {
  for (int64_t c = 0; c < plan.components; ++c) {
    const double* mean = plan.means.data() + c * plan.cols;
    for (int64_t r = 0; r < rows.rows; ++r) {
      double square = 0;
      for (int64_t j = 0; j < plan.cols; ++j) {
        double y = 0;
        for (int64_t i = plan.diagonal ? j : 0; i <= j; ++i) {
          const double z = cell_of(rows, r, i) - mean[i];
          y = plan.diagonal ? z * plan.factor(c)[j] : std::fma(z, packed_entry(plan.factor(c), i, j), y);
        }
        square = std::fma(y, y, square);
      }
      out[c * stride + r] = std::max(std::fma(square, -0.5, plan.constants[static_cast<size_t>(c)]), kLeastLog);
    }
  }
}

// Rows [first, n).
inline void responsibilities_ref(double* v, int64_t first, int64_t n, int64_t k, int64_t stride, const double* weights, double* peak,
                                 double* sum) {
  for (int64_t r = first; r < n; ++r) {
    double most = v[r];
    for (int64_t c = 1; c < k; ++c) most = std::max(most, v[c * stride + r]);
    double total = 0;
    for (int64_t c = 0; c < k; ++c) {
      double& value = v[c * stride + r];
      value = exp_of_negative_ref(value - most);
      total += value;
    }
    const double factor = (weights == nullptr ? 1.0 : weights[r]) / total;
    for (int64_t c = 0; c < k; ++c) v[c * stride + r] *= factor;
    peak[r] = most;
    sum[r] = total;
  }
}

// Columns [first, cols).
inline void weighted_column_sums_ref(const RowsView& rows, const double* center, const double* weights, int64_t first, double* sum,
                                     double* sum_sq) {
  for (int64_t j = first; j < rows.cols; ++j) {
    for (int64_t r = 0; r < rows.rows; ++r) {
      const double y = cell_of(rows, r, j) - center[j];
      sum[j] = std::fma(weights[r], y, sum[j]);
      if (sum_sq != nullptr) sum_sq[j] = std::fma(weights[r] * y, y, sum_sq[j]);
    }
  }
}

// Rows [first, n).
inline void narrow_moments_ref(const double* columns, int64_t stride, int64_t first, int64_t n, int64_t d, const double* center,
                               const double* weights, double* lanes) {
  for (int64_t r = first; r < n; ++r) {
    double* to = lanes + r % 8;
    to[0] += weights[r];
    double y[kNarrow];
    for (int64_t j = 0; j < d; ++j) {
      y[j] = columns[j * stride + r] - center[j];
      to[8 * (1 + j)] = std::fma(weights[r], y[j], to[8 * (1 + j)]);
    }
    to += 8 * (1 + d);
    for (int64_t i = 0; i < d; ++i) {
      for (int64_t j = i; j < d; ++j, to += 8) *to = std::fma(weights[r] * y[i], y[j], *to);
    }
  }
}

}  // namespace sluice::kernels
