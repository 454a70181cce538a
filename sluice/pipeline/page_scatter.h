// The rows of an outcome as a scatter: on the map that a reducer made, else on a plane through the features; coloured by cluster, by
// what a detector flagged, or by the known label.
#pragma once
#include "sluice/core/outcome.h"
#include "sluice/pipeline/input.h"
#include "sluice/pipeline/json.h"
#include "sluice/report/report.h"

namespace sluice {

// Of clusters that a page draws or lists: centres, ellipses, bars.
constexpr int64_t kMostCenters = 200;

// Collective: reads the rows drawn, at most 100,000 of them (then drawn by the seed). `result`: as in summary.json.
ReportScatter scatter_of(const Outcome& outcome, const Json& result, const Dataset& data, Context& ctx);

}  // namespace sluice
