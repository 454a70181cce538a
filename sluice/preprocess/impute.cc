#include "sluice/preprocess/impute.h"

#include <array>
#include <limits>

#include "sluice/core/quantiles.h"
#include "sluice/preprocess/column_moments.h"
#include "sluice/preprocess/frequent.h"

namespace sluice {

std::vector<double> impute_fit(const Source& source, Impute method, double fill_value, Context& ctx) {
  const auto d = static_cast<size_t>(source.cols());
  std::vector<double> fill(d, std::numeric_limits<double>::quiet_NaN());
  switch (method) {
    case Impute::kConstant:
      fill.assign(d, fill_value);
      break;
    case Impute::kMedian:
      fill = column_quantiles(source, std::array{0.5}, ctx).values;
      break;
    case Impute::kMostFrequent: {
      std::vector<int64_t> all(d);
      for (size_t j = 0; j < d; ++j) all[j] = static_cast<int64_t>(j);
      fill = most_frequent(source, all, ctx);
      break;
    }
    case Impute::kMean: {
      const ColumnMoments moments = column_moments(source, ctx);
      for (size_t j = 0; j < d; ++j) {
        if (moments.count[j] > 0) fill[j] = moments.mean[j];
      }
      break;
    }
    default:
      break;
  }
  return fill;
}

std::string impute_text_fit(const std::vector<std::pair<std::string, int64_t>>& levels, Impute method, const std::string& fill_text) {
  if (method == Impute::kConstant) return fill_text;
  if (method == Impute::kDrop || method == Impute::kRefuse) return {};
  std::string best;
  int64_t most = 0;
  for (const auto& [level, count] : levels) {
    if (count > most) {
      most = count;
      best = level;
    }
  }
  return best;
}

}  // namespace sluice
