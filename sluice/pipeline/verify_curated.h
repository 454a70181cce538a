// What a finished run says of dropped duplicates, checked again from its own files: curated/ledger.csv, and, where near rows were dropped,
// the rows that apply compared (apply/points.npy) and their clusters.
#pragma once
#include <string>
#include <vector>

#include "sluice/core/context.h"

namespace sluice {

// What does not hold, a line each, the pair of rows named; empty: all holds, or `dir` is no such run. Every dropped duplicate has a kept
// witness; where points.npy is, also of the same cluster, at the distance said and within dedup_distance, and no two kept rows of a cluster
// lie within it. Errors are those of the readers. Memory: the rows that apply compared.
std::vector<std::string> verify_curated(const std::string& dir, Context& ctx);

}  // namespace sluice
