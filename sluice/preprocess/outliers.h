// Limits of a column's usual values: to pull extreme values in to them (winsorise), or to drop the rows beyond. Use where measuring errors
// are likely; not where the extremes are what is looked for (see anomaly detection).
#pragma once
#include <cstdint>
#include <vector>

#include "sluice/core/context.h"
#include "sluice/core/source.h"

namespace sluice {

enum class Outliers : uint8_t { kNone, kWinsorize, kZScore, kIqr };

struct OutlierOptions {
  double lower_quantile = 0.01;  // kWinsorize
  double upper_quantile = 0.99;
  double z_threshold = 3;  // kZScore: mean +- this many standard deviations (over n)
  double iqr_factor = 3;   // kIqr: this many interquartile ranges below the first and above the third quartile
};

struct Limits {
  std::vector<double> low;  // one a column; the lowest and highest double where a column has no limits, as one whose spread is 0
  std::vector<double> high;
};

// The limits by a method, from the values that are not missing. Cost: 2 to 8 passes. Same bits for any threads, ranks, memory.
// Asks for source.stats.measured and no infinite value.
Limits outlier_limits(const Source& source, Outliers method, const OutlierOptions& options, Context& ctx);

struct OutlierRow {
  int64_t row = 0;     // of the source
  int64_t column = 0;  // the first one whose value lies beyond its limits
  double value = 0;
};

// The rows with a value beyond its column's limits, ascending, on every rank. One pass; a missing value is not beyond.
std::vector<OutlierRow> rows_beyond(const Source& source, const Limits& limits, Context& ctx);

}  // namespace sluice
