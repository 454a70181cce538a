// The functions of PairPlan as plain loops over dist64.h: the truth the vector code is tested against.
#pragma once
#include <cmath>
#include <cstdint>
#include <vector>

#include "sluice/kernels/dist64.h"
#include "sluice/kernels/rows.h"

namespace sluice::kernels {

inline void widen_row(const RowsView& rows, int64_t r, double* to) {
  for (int64_t j = 0; j < rows.cols; ++j) to[j] = rows.is_f64 ? rows.f64(r)[j] : double{rows.f32(r)[j]};
}

// The distance of a widened row to row j of b; the metrics are symmetric to the last bit.
inline double distance_to(Metric metric, const double* wide, const RowsView& b, int64_t j) {
  return b.is_f64 ? distance64(metric, b.f64(j), wide, b.cols) : distance64(metric, b.f32(j), wide, b.cols);
}

// Puts (value, row) into the ascending list of the k nearest, if it belongs there.
inline void insert_nearest(double value, int64_t row, int64_t k, double* distance, int64_t* index) {
  const auto before = [&](int64_t t) { return value < distance[t] || (value == distance[t] && (index[t] < 0 || row < index[t])); };
  if (!before(k - 1)) return;
  int64_t t = k - 1;
  for (; t > 0 && before(t - 1); --t) {
    distance[t] = distance[t - 1];
    index[t] = index[t - 1];
  }
  distance[t] = value;
  index[t] = row;
}

template <class Visit>  // visit(i, j, distance) for every pair
inline void all_pairs_ref(Metric metric, const RowsView& a, const RowsView& b, Visit&& visit) {
  std::vector<double> wide(static_cast<size_t>(a.cols));
  for (int64_t i = 0; i < a.rows; ++i) {
    widen_row(a, i, wide.data());
    for (int64_t j = 0; j < b.rows; ++j) visit(i, j, distance_to(metric, wide.data(), b, j));
  }
}

inline void count_within_ref(Metric metric, const RowsView& a, const RowsView& b, double limit, int64_t* counts) {
  all_pairs_ref(metric, a, b, [&](int64_t i, int64_t, double value) { counts[i] += value <= limit; });
}

inline void visit_within_ref(Metric metric, const RowsView& a, const RowsView& b, double limit, void* context,
                             void (*hit)(void*, int64_t, int64_t)) {
  all_pairs_ref(metric, a, b, [&](int64_t i, int64_t j, double value) {
    if (value <= limit) hit(context, i, j);
  });
}

inline void nearest_ref(Metric metric, const RowsView& a, const RowsView& b, int64_t b_first_row, int64_t a_first_row, int64_t k,
                        double* distance, int64_t* index) {
  all_pairs_ref(metric, a, b, [&](int64_t i, int64_t j, double value) {
    if (a_first_row >= 0 && a_first_row + i == b_first_row + j) return;
    insert_nearest(value, b_first_row + j, k, distance + i * k, index + i * k);
  });
}

inline void distance_sums_ref(Metric metric, const RowsView& a, const RowsView& b, const int32_t* b_labels, int64_t k, double* sums) {
  all_pairs_ref(metric, a, b, [&](int64_t i, int64_t j, double value) {
    if (b_labels[j] >= 0) sums[i * k + b_labels[j]] += metric == Metric::kSquaredEuclidean ? std::sqrt(value) : value;
  });
}

}  // namespace sluice::kernels
