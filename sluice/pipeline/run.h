// `run`: a pipeline file from raw data to curated rows. One folder a stage, one page, one manifest. `plan`: the same file, checked and read
// back.
#pragma once
#include "sluice/pipeline/invocation.h"

namespace sluice {

Said run_pipeline_command(const Invocation& in, Context& ctx);
Said plan_command(const Invocation& in, Context& ctx);

}  // namespace sluice
