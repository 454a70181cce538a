#include "sluice/preprocess/outliers.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "sluice/core/fold.h"
#include "sluice/core/quantiles.h"
#include "sluice/core/table_rows.h"
#include "sluice/preprocess/column_moments.h"

namespace sluice {
namespace {
constexpr double kMost = std::numeric_limits<double>::max();
}

Limits outlier_limits(const Source& source, Outliers method, const OutlierOptions& options, Context& ctx) {
  const auto d = static_cast<size_t>(source.cols());
  Limits limits{std::vector<double>(d, -kMost), std::vector<double>(d, kMost)};
  if (method == Outliers::kNone || d == 0) return limits;
  Matrix<double> q;
  ColumnMoments moments;
  if (method == Outliers::kZScore) moments = column_moments(source, ctx);
  if (method == Outliers::kWinsorize) q = column_quantiles(source, std::array{options.lower_quantile, options.upper_quantile}, ctx);
  if (method == Outliers::kIqr) q = column_quantiles(source, std::array{0.25, 0.75}, ctx);
  for (size_t j = 0; j < d; ++j) {
    if (source.stats.columns[j].finite == 0) continue;
    const auto col = static_cast<int64_t>(j);
    double low = 0, high = 0, reach = 0;
    if (method == Outliers::kZScore) {
      low = high = moments.mean[j];
      reach = options.z_threshold * moments.deviation[j];
    } else {
      low = q(0, col);
      high = q(1, col);
      if (method == Outliers::kIqr) reach = options.iqr_factor * (high - low);
    }
    if (method != Outliers::kWinsorize && !(reach > 0)) continue;
    limits.low[j] = std::max(-kMost, low - reach);
    limits.high[j] = std::min(kMost, high + reach);
  }
  return limits;
}

std::vector<OutlierRow> rows_beyond(const Source& source, const Limits& limits, Context& ctx) {
  std::vector<std::vector<OutlierRow>> found(static_cast<size_t>(ctx.threads));
  map(source, ctx, [&](int worker, const MatrixBlock& leaf) {
    std::vector<double> scratch(static_cast<size_t>(leaf.cols));
    for (int64_t i = 0; i < leaf.rows; ++i) {
      const double* row = leaf.row(i, scratch.data());
      for (int64_t j = 0; j < leaf.cols; ++j) {
        if (row[j] < limits.low[static_cast<size_t>(j)] || row[j] > limits.high[static_cast<size_t>(j)]) {
          found[static_cast<size_t>(worker)].push_back({leaf.first_row + i, j, row[j]});
          break;
        }
      }
    }
  });
  std::vector<OutlierRow> all = gather_finds(found, ctx);
  std::sort(all.begin(), all.end(), [](const OutlierRow& a, const OutlierRow& b) { return a.row < b.row; });
  return all;
}

}  // namespace sluice
