// Clusters applied to the rows they were made of: duplicates dropped, each with a kept witness, and weights that let every cluster count
// the same. Use after a clustering that found structure; without one, weights say nothing.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sluice/core/context.h"
#include "sluice/core/outcome.h"
#include "sluice/core/source.h"

namespace sluice {

// Which rows go, one entry a row.
struct Witnesses {
  std::vector<int64_t> row;      // the kept row of its cluster that it duplicates, or -1 where it is kept
  std::vector<double> distance;  // to that row; 0 where it is kept
  int64_t kept() const;
};

// Rows are taken in order: a row is dropped exactly when a row kept before it, of the same label, lies within `distance` (Euclidean, the
// correctly rounded root; 0: equal in every value). Its witness is the nearest such row, ties the lowest. So a dropped row always has a
// witness that stays, no two kept rows of a label lie within `distance`, and no chain of near rows drags distant ones along.
// Rows must be measured when distance > 0.
// Cost: distance 0: O(n d) by hashes, equal hashes compared. Else batches of rows against the kept rows of their label, and within the
// batch (neighbors/knn.h): kd-trees in few columns, else tiles with a proven error bound, O(sum over labels of rows * kept rows * d).
// Memory: 36 bytes a row; with a distance also the kept rows, 8 d bytes each, Error{kMemory} when they pass half of ctx.memory. Same for
// any threads, ranks and memory. Error{kBadInput} for values that are not finite.
Witnesses duplicate_witnesses(const Source& rows, const std::vector<int32_t>& labels, double distance, Context& ctx);

// What is checked again, from the rows and who is kept: every dropped row's witness is kept, of its label and at the distance said, which is
// within `distance`; no two kept rows of one label lie within it. What does not hold, one line each (the first of each label), rows named by
// `names[row]`. Cost as above.
std::vector<std::string> check_witnesses(const Source& rows, const std::vector<int32_t>& labels, const Witnesses& found,
                                         const std::vector<int64_t>& names, double distance, Context& ctx);

// Rows kept against the distance, around `distance` > 0: of all rows, or of about 10,000 evenly spaced ones where there are more.
int64_t kept_curve_rows(int64_t rows);  // how many that is
Figure kept_curve(const Source& rows, const std::vector<int32_t>& labels, double distance, Context& ctx);

// What a kept row weighs, by its label, so that the weights sum to the number of kept rows and to the same share for every cluster. Noise
// (-1) weighs 1 a row and has no entry.
std::map<int32_t, double> balanced_weights(const std::vector<int32_t>& labels, const std::vector<int64_t>& witnesses);

}  // namespace sluice
