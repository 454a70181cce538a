// How many principal components to keep.
#pragma once
#include <cstdint>
#include <span>
#include <string>

namespace sluice {

struct PcaCount {
  enum class Kind { kAll, kCount, kShare, kMle };
  Kind kind = Kind::kAll;
  int64_t count = 0;  // kCount
  double share = 0;   // kShare
};

// "all", "mle", a whole number from 1, or a share between 0 and 1; else Error{kUsage}.
PcaCount parse_pca_count(const std::string& text);

// Throws Error{kBadInput} where n rows of d columns do not have so many components.
void check_pca_count(const PcaCount& count, int64_t n, int64_t d);

// The number for falling variances of all min(n, d) directions. A share keeps the fewest whose summed part exceeds it, as scikit-learn.
int64_t components_to_keep(const PcaCount& count, std::span<const double> variances, double total, double weight);

// Minka's most likely dimension, between 1 and d - 1 (1 where d = 1), for the falling variances of all d columns.
// Cost O(d^2). Minka 2000, "Automatic choice of dimensionality for PCA".
int64_t minka_dimension(std::span<const double> variances, double n);

}  // namespace sluice
