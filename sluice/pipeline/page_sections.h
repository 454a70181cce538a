// What of an outcome becomes a section of a page as it stands: its tables, its tree of clusters, the histogram of its scores.
#pragma once
#include <optional>

#include "sluice/core/outcome.h"
#include "sluice/pipeline/json.h"
#include "sluice/report/report.h"

namespace sluice {

// The first 5,000 rows, to be searched where they are more than a screen holds.
ReportTable table_of(const OutcomeTable& table);

ReportCurve curve_of(const Figure& figure);

ReportTree tree_of(const OutcomeTree& tree);

// Collective. Some sixty bars of the finite scores of all ranks, with the line at `threshold` of `result` where there is one; nothing
// where there are no scores.
std::optional<ReportHistogram> histogram_of(const Outcome& outcome, const Json& result, Context& ctx);

}  // namespace sluice
