// How well two labellings of the same rows agree, whatever the labels are called. For labels against the truth, or one clustering against
// another. Not for judging a clustering by itself: see internal.h.
//
// All measures are functions of the contingency table alone, so they are the same for any order of rows, threads and ranks. The numbers
// equal scikit-learn's (its treatment of one cluster or none included) to rounding.
// Hubert and Arabie 1985, doi:10.1007/BF01908075; Vinh, Epps and Bailey 2010, jmlr.org/papers/v11/vinh10a.html; Rosenberg and Hirschberg
// 2007 (V-measure).
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "sluice/core/context.h"

namespace sluice {

// Counts of pairs of labels that occur; labels may be any int64 (-1 is a label like any other here).
struct Contingency {
  struct Cell {
    int64_t truth;
    int64_t label;
    int64_t count;
    bool operator==(const Cell&) const = default;
  };
  std::vector<Cell> cells;  // ascending by (truth, label), counts above 0
  bool operator==(const Contingency&) const = default;
};

// Cost: O(n). Memory: about 64 bytes a cell. Throws Error{kBadInput} when the lengths differ.
Contingency contingency(std::span<const int64_t> truth, std::span<const int64_t> labels);
Contingency contingency(std::span<const int64_t> truth, std::span<const int32_t> labels);

// The sum of all ranks' tables, on every rank. Collective.
Contingency add_over_ranks(const Contingency& mine, Context& ctx);

struct Agreement {
  double ari = 1;           // adjusted Rand index: 1 equal, about 0 chance, down to -0.5
  double nmi = 1;           // mutual information over the mean of the two entropies
  double ami = 1;           // the same less its expectation over all labellings with these sizes
  double homogeneity = 1;   // 1 - H(truth | label) / H(truth)
  double completeness = 1;  // 1 - H(label | truth) / H(label)
  double v_measure = 1;     // harmonic mean of the two
  double purity = 1;        // share of rows in their cluster's largest class
};

// All measures of one table. Cost: O(cells log cells), and for ami O(sum over pairs of distinct class and cluster sizes of the spread of
// their overlap), at most O(classes * clusters * sqrt(n)). An empty table: all 1. Throws Error{kBadInput} for 2^62 rows or more.
Agreement agreement(const Contingency& table);

// The expected mutual information (nats) of two random labellings with these sizes, Vinh et al. 2010, eq. 24a. Hypergeometric weights are
// grown outward from the likeliest overlap by their ratio and divided by their sum, so no factorial is needed; weights below 1e-25 of
// the largest are left out. The sizes on either side must add up to the same n.
double expected_mutual_information(std::span<const int64_t> class_sizes, std::span<const int64_t> cluster_sizes);

}  // namespace sluice
