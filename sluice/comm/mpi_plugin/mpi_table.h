// What libsluice_mpi gives the program: C functions over one run of MPI. Every int result is 0, or not 0 with a text in failure().
// Not for use elsewhere: comm/mpi_ranks.h is the C++ face of it.
#pragma once
#include <cstdint>

namespace sluice {

struct MpiStart {
  double timeout;  // seconds without a sign of life from a peer that end the run
  int64_t chunk;   // most bytes in one message
  // Called by the watchdog, once, before it ends all ranks: says so on standard error.
  void (*lost)(void* context, int rank, double seconds);
  void* context;
};

struct MpiTable {
  static constexpr uint32_t kVersion = 1;
  uint32_t version;
  void* (*start)(const MpiStart* options);  // null: not started, see failure(nullptr)
  int (*rank)(void* run);
  int (*size)(void* run);
  int (*sum)(void* run, int64_t* values, int64_t count);
  int (*gather_lengths)(void* run, int64_t mine, int64_t* lengths);  // lengths: one a rank
  int (*gather_bytes)(void* run, const void* mine, const int64_t* lengths, void* const* into);
  int (*broadcast)(void* run, void* bytes, int64_t count, int root);
  int (*barrier)(void* run);
  // Meets the other ranks for the last time and learns their exit codes; 1 when they did not all come within `grace` seconds.
  int (*meet_at_end)(void* run, int code, double grace, int* codes);
  int (*finalize)(void* run);          // after meet_at_end() gave 0; the run is gone
  void (*abort)(void* run, int code);  // ends all ranks; does not return
  const char* (*failure)(void* run);
};

}  // namespace sluice
