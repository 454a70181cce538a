// How well scores rank the rows that are truly positive (anomalies) above the rest: ROC AUC, average precision, precision of the top.
// For detectors with known labels. Not for clusterings: see agreement.h.
//
// All are functions of counts at each distinct score, so they depend neither on the order of the rows nor on threads or ranks. The numbers
// equal scikit-learn's to rounding. Cost O(n log n), memory 16 bytes a row. Higher scores are more positive; infinite ones are ranked.
// A label counts as positive where it is not 0. Error{kBadInput}: lengths differ or a score is NaN. NaN where a measure says nothing.
// Fawcett 2006, doi:10.1016/j.patrec.2005.10.010; Davis and Goadrich 2006, doi:10.1145/1143844.1143874.
#pragma once
#include <cstdint>
#include <span>

namespace sluice {

// The share of pairs (positive, negative) in which the positive row has the higher score; equal scores count half. Counted in integers,
// divided once. NaN when there is no positive or no negative row.
double roc_auc(std::span<const double> scores, std::span<const uint8_t> positive);

// Sum over the distinct scores t, falling, of (recall(t) - recall(t before)) * precision(t), rows with a score >= t being taken; no
// interpolation. NaN when there is no positive row.
double average_precision(std::span<const double> scores, std::span<const uint8_t> positive);

// The share of positive rows among the `n` with the highest scores; of rows that tie for the last places the expected share. n = 0: as many
// as there are positive rows. NaN for no rows; n above the number of rows: Error{kUsage}.
double precision_at(std::span<const double> scores, std::span<const uint8_t> positive, int64_t n = 0);

}  // namespace sluice
