// Ranks over MPI: one process a rank, started by mpirun, srun or the like. MPI itself stands in a plug-in, libsluice_mpi.so, opened
// only when a launcher started us. A rank that dies or stops (no sign of life for 30 s, or SLUICE_RANK_TIMEOUT seconds) ends the run
// on all ranks with exit code 9 and one line on standard error; no collective waits longer. Collectives are for one thread a rank.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "sluice/core/communicator.h"

namespace sluice {

struct MpiOptions {
  double timeout = 0;                // seconds; 0: $SLUICE_RANK_TIMEOUT, or 30
  int64_t chunk = int64_t{1} << 26;  // most bytes in one message; larger transfers go in pieces
  // What to do, from another thread, right before a lost peer ends this process; empty: the contract's line on standard error.
  std::function<void(const std::string& where, const std::string& message, const std::string& remedy)> lost;
};

// The ranks of this run, or null when no launcher started it or it has one rank.
// Throws Error{kUsage} when there are several ranks but no plug-in (else each would be a run of its own and all would write the same
// files), Error{kRankFailed} when MPI does not start.
std::unique_ptr<Communicator> mpi_communicator_if_launched(const MpiOptions& options = {});

// To be called once by every rank, last, with the exit code it came to. If all ranks come (an error they agreed on, or success), the
// lowest with an error calls `say`, MPI is ended in order, and every rank gets that rank's code to exit with. If a rank comes with an
// error and the others do not follow within 2 s, it calls `say` and ends all ranks with its code at once: it does not return.
// Over any other communicator: calls `say` if code is not 0, and returns code.
int end_ranks(Communicator* comm, int code, const std::function<void()>& say);

}  // namespace sluice
