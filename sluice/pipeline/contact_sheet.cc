#include "sluice/pipeline/contact_sheet.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace sluice {
namespace {

constexpr size_t kNearest = 12;
constexpr size_t kBorder = 4;
constexpr int32_t kMostClusters = 40;

std::vector<uint8_t> pixels(const Source& pictures, int64_t row, double scale) {
  std::vector<uint8_t> out;
  for (const double value : read_row(pictures, row))
    out.push_back(static_cast<uint8_t>(std::clamp(std::nearbyint(value * scale), 0.0, 255.0)));
  return out;
}

}  // namespace

std::optional<PictureShape> picture_shape(const Source& rows) {
  double least = 0, most = 0;
  bool whole = true;
  for (const ColumnStatistics& column : rows.stats.columns) {
    least = std::min(least, column.min);
    most = std::max(most, column.max);
    whole &= column.integers;
  }
  if (least < 0 || most <= 0 || most > 255 || (!whole && most > 1)) return std::nullopt;
  for (const int64_t channels : {1, 3}) {
    const int64_t side = std::llround(std::sqrt(static_cast<double>(rows.cols() / channels)));
    if (side >= 7 && side * side * channels == rows.cols()) return PictureShape{side, side, channels};
  }
  return std::nullopt;
}

ReportContactSheet contact_sheet(const Source& pictures, const PictureShape& shape, const std::vector<int32_t>& labels,
                                 const std::vector<double>& distance, const std::vector<int64_t>& kept) {
  double most = 0;
  for (const ColumnStatistics& column : pictures.stats.columns) most = std::max(most, column.max);
  std::map<int32_t, std::vector<int64_t>> members;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] >= 0 && labels[i] < kMostClusters) members[labels[i]].push_back(static_cast<int64_t>(i));
  }
  ReportContactSheet sheet;
  sheet.title = "Pictures by cluster";
  sheet.width = shape.width;
  sheet.height = shape.height;
  sheet.channels = shape.channels;
  const auto image = [&](int64_t row) {
    const int64_t input = kept.empty() ? row : kept[static_cast<size_t>(row)];
    return ReportImage{input, pixels(pictures, input, 255 / most)};
  };
  for (auto& [label, rows] : members) {
    std::sort(rows.begin(), rows.end(), [&](int64_t a, int64_t b) {
      const double da = distance[static_cast<size_t>(a)], db = distance[static_cast<size_t>(b)];
      return da != db ? da < db : a < b;
    });
    ReportImageGroup group;
    group.name = "cluster " + std::to_string(label) + ", " + report_number(static_cast<int64_t>(rows.size())) + " rows";
    group.label = label;
    for (size_t i = 0; i < std::min(kNearest, rows.size()); ++i) group.nearest.push_back(image(rows[i]));
    for (size_t i = std::max(std::min(kNearest, rows.size()), rows.size() - std::min(kBorder, rows.size())); i < rows.size(); ++i)
      group.border.push_back(image(rows[i]));
    sheet.groups.push_back(std::move(group));
  }
  sheet.note = "Nearest: the rows closest to the centre; border: those farthest from it. Rows are drawn as " + std::to_string(shape.width) +
               " x " + std::to_string(shape.height) + " pictures.";
  return sheet;
}

}  // namespace sluice
