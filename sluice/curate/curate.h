// Clusters applied to the rows they were made of: duplicates dropped, each with a kept witness, and weights that let every cluster count
// the same. Use after a clustering that found structure; without one, weights say nothing.
#pragma once
#include <cstdint>
#include <vector>

#include "sluice/core/context.h"
#include "sluice/core/source.h"

namespace sluice {

// For each row the kept row of its cluster that it duplicates, or -1 where it is kept. Rows are taken in order: a row is dropped exactly
// when a row kept before it, of the same label, lies within `distance` (Euclidean; 0: equal in every value). So a dropped row always
// has a witness that stays, and no chain of near rows drags distant ones along.
// Cost: distance 0: O(n d) by hashes, equal hashes compared; else O(sum over clusters of rows * kept rows * d).
// Memory: 24 bytes a row; with a distance also the kept rows. Same for any threads and ranks (every rank computes the same).
std::vector<int64_t> duplicate_witnesses(const Source& rows, const std::vector<int32_t>& labels, double distance, Context& ctx);

// Weights that sum to the number of kept rows and to the same share for every cluster; 0 for dropped rows. Noise (-1) weighs 1 a row.
std::vector<double> balanced_weights(const std::vector<int32_t>& labels, const std::vector<int64_t>& witnesses);

}  // namespace sluice
