// The part of curate.h that searches near rows. Not for other use.
#pragma once
#include <vector>

#include "sluice/curate/curate.h"

namespace sluice {

// duplicate_witnesses() for a distance above 0.
Witnesses near_witnesses(const Source& rows, const std::vector<int32_t>& labels, double distance, Context& ctx);

}  // namespace sluice
