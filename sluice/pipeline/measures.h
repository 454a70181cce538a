// What --label adds to a result: how well clusters agree with the labels.
#pragma once
#include "sluice/core/outcome.h"
#include "sluice/metrics/agreement.h"
#include "sluice/pipeline/input.h"

namespace sluice {

void put_agreement(ResultKeys& result, const Agreement& agreed);

// Adds ari, nmi, ami, v_measure and purity when there are labels and clusters. Collective.
void add_label_measures(Outcome& outcome, const Dataset& data, Context& ctx);

}  // namespace sluice
