// The commands that fit an algorithm of the registry, and `apply`, which uses a fitted model on new rows.
#pragma once
#include "sluice/pipeline/invocation.h"
#include "sluice/pipeline/output_dir.h"
#include "sluice/report/report.h"

namespace sluice {

Said fit_command(const Invocation& in, Context& ctx);
Said apply_command(const Invocation& in, Context& ctx);

// One fit into a folder: everything but the manifest. Also what a pipeline's stages are made of.
struct Stage {
  Outcome outcome;
  Json summary;
  Report page;
};
Stage fit_stage(const Algorithm& algorithm, const ParamTexts& params, const Dataset& data, const std::string& folder,
                const std::string& assignments, Context& ctx, StageTimes* times = nullptr);

}  // namespace sluice
