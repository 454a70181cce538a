// The commands that mine baskets: apriori, eclat, fpgrowth.
#pragma once
#include <vector>

#include "sluice/pipeline/algorithm_command.h"
#include "sluice/pipeline/basket_input.h"

namespace sluice {

// What the command of a miner takes: the algorithm's parameters and those of basket_input.h.
std::vector<ParamInfo> mine_params(const Algorithm& algorithm);

Said mine_command(const Invocation& in, Context& ctx);

// One mining run into a folder: everything but the record and the manifest. Also what a pipeline's stage `rules` is made of; `given` may
// hold parameters of both kinds. Collective: every rank mines, rank 0 writes.
Stage mine_stage(const Algorithm& algorithm, const ParamTexts& given, const BasketData& data, const std::string& folder, Context& ctx,
                 StageTimes* times = nullptr);

}  // namespace sluice
