// One call of seed_distances as its vector code sees it. Internal to seed_update.
#pragma once
#include <cmath>
#include <cstdint>
#include <limits>

#include "sluice/kernels/filter.h"
#include "sluice/kernels/rows.h"
#include "sluice/kernels/seed_update.h"

namespace sluice::kernels {

struct SeedJob {
  const RowsView* rows;
  const FilterCentres* filter;
  const double* candidates;
  int64_t n_candidates;
  const double* current;
  double* out;
  SeedScratch* scratch;
};

// A score not below at() proves that the float64 distance is not below `current`; infinity where nothing can be proven.
// With filter.h's terms (room >= twice the error of a score, float64's included) and norm^2 (1 - k) <= |X|^2, k = 1.2 (d + 12) u:
//   squared Euclidean  2 (t~ - error) + norm^2 (1 - k) >= s^2 current (1 + 2 rho)
//   cosine             1 + t~ - error >= current
//   Manhattan          t~ / (1 + g) - error >= s current (1 + 2 rho)
// Here as weights of current, norm and length, so that the loop over rows vectorises.
struct SeedLimit {
  double current = 0;
  double norm = 0;    // of the norm as convert_row gives it
  double length = 0;  // of its root (of itself for Manhattan)
  double constant = 0;

  explicit SeedLimit(const FilterCentres& f) {
    const double d = static_cast<double>(f.d);
    const double rho = 2 * (d / 8 + 8) * 0x1p-53;
    const FilterBound& b = f.bound;
    if (f.metric == Metric::kSquaredEuclidean) {
      const double kappa = 1.2 * (d + 12) * 0x1p-24;
      current = f.scale * f.scale * (1 + rho) / 2;
      norm = (static_cast<double>(b.square) - (1 - kappa)) / 2;
      length = static_cast<double>(b.slope) / 2;
      constant = static_cast<double>(b.offset) / 2;
    } else if (f.metric == Metric::kCosine) {
      current = 1;
      length = b.slope;
      constant = static_cast<double>(b.offset) - 1;
    } else {
      const double spread = 1 + static_cast<double>(b.relative);
      current = f.scale * (1 + rho) * spread;
      length = static_cast<double>(b.slope) * spread;
      constant = static_cast<double>(b.offset) * spread;
    }
  }

  float at(double now, float row_norm, bool l1) const {
    const double n = row_norm;
    const double root = l1 ? n : std::sqrt(n);
    const double exact = now * current + n * norm + root * length + constant;
    const double limit = exact + std::fabs(exact) * 0x1p-22 + 0x1p-120;
    const bool proves = (n < kFilterLimit) & (limit < kFilterLimit);
    return proves ? static_cast<float>(limit) : std::numeric_limits<float>::infinity();
  }
};

}  // namespace sluice::kernels
