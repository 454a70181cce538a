// Means and variances of a source's columns: exact sums, so the same bits for any order, threads and ranks, and right far from the
// origin (the variance is summed about the mean, Chan, Golub and LeVeque 1983, doi:10.1080/00031305.1983.10483115).
// Cost: two passes. Memory: about 1.2 KiB a column and thread. Weights count as copies.
#pragma once
#include <vector>

#include "sluice/core/context.h"
#include "sluice/core/source.h"

namespace sluice {

struct Moments {
  std::vector<double> mean;
  std::vector<double> variance;  // the mean squared deviation (divided by the weight, not by the weight less one)
  double weight = 0;             // rows, or the sum of their weights
};

// The source must be measured and clean (statistics.h). No rows: all zero.
Moments moments(const Source& source, Context& ctx);

// sqrt(sum of squares of the means etc.) are the caller's affair; this is the mean alone, one pass.
std::vector<double> column_means(const Source& source, Context& ctx);

}  // namespace sluice
