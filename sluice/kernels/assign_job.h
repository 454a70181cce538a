// One call of AssignPlan::assign as the vector code sees it, and what both of its layouts share. Internal to assign.
#pragma once
#include <cmath>
#include <cstdint>

#include "sluice/kernels/assign.h"
#include "sluice/kernels/assign_ref.h"

namespace sluice::kernels {

// The largest score a centre can have whose float64 distance is not above the smallest (filter.h). norm: as convert_row gives it.
inline float threshold(const FilterBound& bound, float least, float norm, Metric metric) {
  const bool l1 = metric == Metric::kManhattan;
  const float length = l1 ? norm : std::sqrt(norm);
  return least + (std::fabs(least) * bound.relative + length * bound.slope + (l1 ? 0.0f : norm) * bound.square + bound.offset);
}

struct AssignJob {
  Metric metric;
  const double* centers;
  int64_t k;
  int64_t d;
  const FilterCentres* filter;
  const RowsView* rows;
  int32_t* labels;
  double* distances;
  AssignScratch* scratch;

  // The filter left one centre.
  void decide(int64_t row, int32_t label) const {
    labels[row] = label;
    if (distances == nullptr) return;
    const double* centre = centers + label * d;
    distances[row] = rows->is_f64 ? distance64(metric, rows->f64(row), centre, d) : distance64(metric, rows->f32(row), centre, d);
  }

  // Float64 had to choose.
  void decide(int64_t row, const Nearest& nearest) const {
    ++scratch->rechecked;
    labels[row] = nearest.label;
    if (distances != nullptr) distances[row] = nearest.distance;
  }

  Nearest scan(int64_t row) const {
    return rows->is_f64 ? nearest_by_scan(metric, rows->f64(row), centers, k, d) : nearest_by_scan(metric, rows->f32(row), centers, k, d);
  }

  // Part `part` of `parts` of the 48 rows from `first`, into the cache ahead of their turn.
  void prefetch(int64_t first, int64_t part, int64_t parts) const {
    const int64_t row_bytes = rows->stride * (rows->is_f64 ? 8 : 4);
    const int64_t left = (rows->rows - first < 48 ? rows->rows - first : 48) * row_bytes;
    if (left <= 0) return;
    const int64_t chunk = (left / parts + 64) / 64 * 64;
    const char* from = static_cast<const char*>(rows->data) + first * row_bytes;
    const int64_t end = (part + 1) * chunk < left ? (part + 1) * chunk : left;
    for (int64_t at = part * chunk; at < end; at += 64) __builtin_prefetch(from + at);
  }
};

}  // namespace sluice::kernels
