// Exact order statistics of columns: quantiles, and medians of groups of rows. Radix selection: each pass counts the values by the next
// bits of their ordered bit patterns (whole numbers: by their distance from the column's least), keeps the one bin that holds the answer,
// and collects and sorts when few values are left. Use wherever a quantile reaches a result; for a rough look a sample is cheaper.
//
// Counts are integers, so the answer is the same bits for any threads, ranks, leaves and memory. Memory only sets how many bits a pass
// takes and how many columns it serves. NaN is skipped; -0 is taken as +0; infinities are ordered as numbers are.
#pragma once
#include <cstdint>
#include <span>

#include "sluice/core/context.h"
#include "sluice/core/fold.h"
#include "sluice/core/matrix.h"
#include "sluice/core/source.h"

namespace sluice {

// The quantiles q (each in [0, 1]) of every column: q.size() x cols, linear between neighbours as numpy's default; NaN for a column
// without values. Rows count once each, whatever their weights.
// Cost: 1 pass over few values, else 2 to 7. Memory: at most an eighth of ctx.memory, at least 1 MiB.
Matrix<double> column_quantiles(const Source& source, std::span<const double> q, Context& ctx);

// The lower weighted median of every column over the rows of each group: the least value v such that the rows of the group with x <= v
// hold at least half of its weight. groups x cols; NaN for a group without weight. labels[row] outside [0, groups) leaves the row out.
// `labels` must be cut as leaf_range(source.rows(), source.cols(), ctx). Whole weights are counted exactly; others are rounded to
// 2^-61 of their sum. Cost and memory as above, for groups * cols counters.
Matrix<double> group_lower_medians(const Source& source, const RowColumn<int32_t>& labels, int64_t groups, Context& ctx);

// numpy's linear interpolation between two neighbours, 0 <= t < 1.
double interpolate(double a, double b, double t);

}  // namespace sluice
