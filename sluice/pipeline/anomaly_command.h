// `sluice anomaly`: a detector of the registry, and from its scores flags, p-values, alerts and their reasons. Also a pipeline's stage.
#pragma once
#include "sluice/pipeline/algorithm_command.h"
#include "sluice/pipeline/anomaly_params.h"

namespace sluice {

Said anomaly_command(const Invocation& in, Context& ctx);

// One detector's fit into a folder: everything but the manifest. `given`: method, one of fdr, contamination and threshold, and the detector's
// own parameters; anomaly_plan() refuses what does not belong.
Stage anomaly_stage(const ParamTexts& given, const Dataset& data, const std::string& folder, Context& ctx, StageTimes* times = nullptr);

}  // namespace sluice
