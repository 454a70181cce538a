// Ranks as threads of one process: the same program as over MPI, without a launcher. For tests and for comparing ranks with threads.
// Not for speed: every rank holds its own copy of what ranks hold, and fold() already uses threads.
#pragma once
#include <functional>

#include "sluice/core/communicator.h"

namespace sluice {

// Runs body on `ranks` threads, each with its own communicator, and returns when all have ended. If one leaves, by an exception or
// early, the others' next or pending collective throws Error{kRankFailed}. Then rethrows the error of the lowest rank that failed by
// itself. Collectives cost O(ranks * bytes) a rank; memory: a copy of the result.
void run_as_ranks(int ranks, const std::function<void(Communicator&)>& body);

}  // namespace sluice
