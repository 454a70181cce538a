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

// The two halves of a fit's end. save_model: the outcome's model with its parameters and the columns' names, if there is one.
void save_model(Outcome& outcome, const Algorithm& algorithm, const Json& params, const Source& rows, const std::string& folder,
                Context& ctx);
// Everything of a stage that needs the rows: their files, the measures against labels, the page.
Stage finish_stage(Outcome outcome, const std::string& command, const Json& params, const Dataset& data, const std::string& folder,
                   const std::string& assignments, Context& ctx);

}  // namespace sluice
