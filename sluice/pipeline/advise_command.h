// `advise`: which method to take for a data set, with which parameters, and why.
#pragma once
#include "sluice/pipeline/invocation.h"

namespace sluice {

// Takes tables as they are: gaps are filled and text columns encoded as `run` does by default. Baskets are told by their form.
Said advise_command(const Invocation& in, Context& ctx);

}  // namespace sluice
