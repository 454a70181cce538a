// `make`: writes a made data set: X.npy and y.npy, or baskets.dat.
#pragma once
#include "sluice/pipeline/invocation.h"

namespace sluice {

Said make_command(const Invocation& in, Context& ctx);

}  // namespace sluice
