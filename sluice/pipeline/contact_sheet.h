// Clusters of pictures as the page shows them: the rows nearest to each centre, and those nearest to the border.
#pragma once
#include <optional>
#include <vector>

#include "sluice/core/context.h"
#include "sluice/core/outcome.h"
#include "sluice/core/source.h"
#include "sluice/report/report.h"

namespace sluice {

struct PictureShape {
  int64_t width = 0, height = 0, channels = 1;
};

// The shape rows of `cols` values have as square pictures, or nothing when they can't be: grey or RGB, at least 7 pixels a side, and every
// value a whole number from 0 to 255 or all in [0, 1].
std::optional<PictureShape> picture_shape(const Source& rows);

// `pictures` holds all input rows, `kept` the input rows that labels and distances speak of (empty: all).
// The 12 nearest and 4 farthest rows of each cluster by `distance` (one a row), at most 40 clusters. Cost: one pass over the labels.
ReportContactSheet contact_sheet(const Source& pictures, const PictureShape& shape, const std::vector<int32_t>& labels,
                                 const std::vector<double>& distance, const std::vector<int64_t>& kept);

}  // namespace sluice
