#include "sluice/preprocess/scale.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>

#include "sluice/core/error.h"
#include "sluice/core/fold.h"
#include "sluice/core/quantiles.h"
#include "sluice/core/text.h"
#include "sluice/preprocess/column_moments.h"

namespace sluice {
namespace {

// Four digits are enough to see why.
std::string brief(double x) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, x, std::chars_format::general, 4).ptr};
}

// Least and greatest squared length of a row.
class LengthState {
 public:
  void accumulate(const MatrixBlock& leaf) {
    scratch_.resize(static_cast<size_t>(leaf.cols));
    for (int64_t i = 0; i < leaf.rows; ++i) {
      const double* row = leaf.row(i, scratch_.data());
      double sum = 0;
      for (int64_t j = 0; j < leaf.cols; ++j) sum += row[j] * row[j];
      least_ = std::min(least_, sum);
      most_ = std::max(most_, sum);
    }
  }
  void merge(LengthState&& other) {
    least_ = std::min(least_, other.least_);
    most_ = std::max(most_, other.most_);
  }
  void save(ByteWriter& out) const {
    out.put(least_);
    out.put(most_);
  }
  void load(ByteReader& in) {
    least_ = in.get<double>();
    most_ = in.get<double>();
  }
  int64_t bytes() const { return sizeof *this; }
  bool unit() const { return least_ > 0.98 && most_ < 1.02; }

 private:
  double least_ = std::numeric_limits<double>::infinity();
  double most_ = 0;
  std::vector<double> scratch_;
};

// The range that all columns share, if they do: a reason, or "".
std::string common_range(const Statistics& stats, const std::vector<size_t>& varying) {
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  bool whole = true;
  std::vector<double> spans;
  for (const size_t j : varying) {
    const ColumnStatistics& c = stats.columns[j];
    low = std::min(low, c.min);
    high = std::max(high, c.max);
    whole &= c.integers;
    spans.push_back(c.max - c.min);
  }
  const bool levels = whole && low >= -128 && high <= 255 && high - low <= 255;
  const bool shares = low >= 0 && high <= 1;
  if (!levels && !shares) return {};
  const size_t middle = (spans.size() - 1) / 2;
  std::nth_element(spans.begin(), spans.begin() + static_cast<std::ptrdiff_t>(middle), spans.end());
  if (spans[middle] * 2 < high - low) return {};
  return "none: all columns hold " + std::string(whole ? "whole numbers" : "numbers") + " of one range, " + brief(low) + " to " +
         brief(high);
}

// Whether the columns' spreads are near enough to be of one unit, and the words for it.
std::pair<bool, std::string> one_unit(const Source& source, const ColumnMoments& moments, const std::vector<size_t>& varying) {
  std::vector<size_t> order = varying;
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return moments.deviation[a] != moments.deviation[b] ? moments.deviation[a] < moments.deviation[b] : a < b;
  });
  const size_t m = order.size();
  const double factor = m >= 64 ? 8 : 4;
  const double low = moments.deviation[order[m / 10]];
  const double middle = moments.deviation[order[(m - 1) / 2]];
  const double high = moments.deviation[order[m - 1]];
  const std::string spread = "standard deviations from " + brief(moments.deviation[order[0]]) + " (" +
                             source.name_of(static_cast<int64_t>(order[0])) + ") over " + brief(middle) + " (median) to " + brief(high) +
                             " (" + source.name_of(static_cast<int64_t>(order[m - 1])) + ")";
  if (high <= factor * middle && middle <= factor * low) {
    return {true, "none: the columns seem to share one unit, " + spread + ", within a factor of " + brief(factor) + " of the median"};
  }
  return {false, "standard: the columns have different units or spreads, " + spread};
}

// The automatic choice; `moments` is filled when the decision took them.
std::pair<Scale, std::string> choose(const Source& source, std::span<const uint8_t> indicators, RowsKind kind, ColumnMoments& moments,
                                     Context& ctx) {
  if (kind == RowsKind::kImages) return {Scale::kNone, "none: the rows are images, whose pixels share one unit"};
  if (kind == RowsKind::kEmbeddings) return {Scale::kNone, "none: the rows are embeddings, whose dimensions share one unit"};
  std::vector<size_t> varying;
  bool encoded = false;
  double largest = 0;
  for (size_t j = 0; j < source.stats.columns.size(); ++j) {
    const ColumnStatistics& c = source.stats.columns[j];
    if (j < indicators.size() && indicators[j] != 0) {
      encoded = true;
    } else if (c.finite > 0 && c.min != c.max) {
      varying.push_back(j);
      largest = std::max({largest, std::fabs(c.min), std::fabs(c.max)});
    }
  }
  if (varying.empty()) return {Scale::kNone, "none: no column of numbers varies"};
  if (encoded) return {Scale::kStandard, "standard: numbers stand beside columns of 0 and 1 made from levels"};
  if (std::string reason = common_range(source.stats, varying); !reason.empty()) return {Scale::kNone, std::move(reason)};
  if (source.cols() >= 8 && largest < 1.02 && fold(source, [] { return LengthState(); }, ctx).unit()) {
    return {Scale::kNone, "none: every row has length 1, as normalised embeddings have"};
  }
  moments = column_moments(source, ctx);
  auto [same, reason] = one_unit(source, moments, varying);
  return {same ? Scale::kNone : Scale::kStandard, std::move(reason)};
}

}  // namespace

ScaleFit scale_fit(const Source& source, Scale method, std::span<const uint8_t> indicators, RowsKind kind, Context& ctx) {
  const auto d = static_cast<size_t>(source.cols());
  ScaleFit fit{method, std::vector<double>(d, 0), std::vector<double>(d, 1), {}};
  ColumnMoments moments;
  if (method == Scale::kAuto) {
    std::tie(fit.method, fit.reason) = choose(source, indicators, kind, moments, ctx);
  } else {
    fit.reason = "as asked";
  }
  if (fit.method == Scale::kNone) return fit;
  if (fit.method == Scale::kStandard && moments.mean.empty()) moments = column_moments(source, ctx);
  Matrix<double> quartiles;
  if (fit.method == Scale::kRobust) quartiles = column_quantiles(source, std::array{0.25, 0.5, 0.75}, ctx);
  for (size_t j = 0; j < d; ++j) {
    if (j < indicators.size() && indicators[j] != 0) continue;
    const ColumnStatistics& c = source.stats.columns[j];
    if (c.finite == 0) continue;
    const auto col = static_cast<int64_t>(j);
    double scale = 0;
    switch (fit.method) {
      case Scale::kMinMax:
        fit.center[j] = c.min, scale = c.max - c.min;
        break;
      case Scale::kRobust:
        fit.center[j] = quartiles(1, col), scale = quartiles(2, col) - quartiles(0, col);
        break;
      default:
        fit.center[j] = moments.mean[j], scale = moments.deviation[j];
        break;
    }
    if (!std::isfinite(scale)) {
      fail(ErrorCode::kNumerical, "column " + source.name_of(col), "its spread overflows double precision",
           "divide the column by a power of ten, or use scale none");
    }
    if (scale > 0) fit.scale[j] = scale;
  }
  return fit;
}

}  // namespace sluice
