// Run under mpirun by mpi_ranks_test.sh: mpi_ranks_check collectives | defaults | agreed | lone | last | unwound | kill |
// stop | stop-busy.
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>

#include "sluice/comm/mpi_ranks.h"
#include "sluice/core/error.h"

namespace sluice {
namespace {

void expect(bool holds, const char* what, int line) {
  if (holds) return;
  std::fprintf(stderr, "mpi_ranks_check.cc:%d: %s does not hold\n", line, what);
  std::exit(1);
}
#define EXPECT(what) expect((what), #what, __LINE__)

void check_sum(Communicator& comm) {
  const int n = comm.size();
  for (const int64_t count : {0, 1, 3, 1000, 100'003}) {
    std::vector<int64_t> values(static_cast<size_t>(count));
    for (int64_t i = 0; i < count; ++i) values[static_cast<size_t>(i)] = i * (comm.rank() + 1) - 7;
    comm.sum(values);
    for (int64_t i = 0; i < count; ++i) EXPECT(values[static_cast<size_t>(i)] == i * n * (n + 1) / 2 - 7 * n);
  }
  std::vector<int64_t> wraps = {std::numeric_limits<int64_t>::max()};
  comm.sum(wraps);
  EXPECT(static_cast<uint64_t>(wraps[0]) == static_cast<uint64_t>(n) * static_cast<uint64_t>(std::numeric_limits<int64_t>::max()));
}

Bytes pattern(int rank, size_t count) {
  Bytes bytes(count);
  for (size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::byte>((i * 31 + static_cast<size_t>(rank) * 7 + (i >> 8)) & 255);
  return bytes;
}

void check_gather(Communicator& comm, size_t scale) {
  for (const size_t base : {size_t{0}, size_t{1}, scale}) {
    const std::vector<Bytes> all = comm.all_gather(pattern(comm.rank(), base * static_cast<size_t>(comm.rank())));
    EXPECT(static_cast<int>(all.size()) == comm.size());
    for (int r = 0; r < comm.size(); ++r) EXPECT(all[static_cast<size_t>(r)] == pattern(r, base * static_cast<size_t>(r)));
  }
}

void check_broadcast(Communicator& comm, size_t count) {
  for (int root = 0; root < comm.size(); ++root) {
    Bytes bytes = comm.rank() == root ? pattern(root, count) : pattern(comm.rank(), 5);
    comm.broadcast(bytes, root);
    EXPECT(bytes == pattern(root, count));
  }
}

// Pieces of 1000 bytes try the paths of what is too long for one message.
int collectives() {
  auto comm = mpi_communicator_if_launched({.timeout = 0, .chunk = 1000, .lost = {}});
  check_sum(*comm);
  check_gather(*comm, 12'345);
  check_broadcast(*comm, 0);
  check_broadcast(*comm, 4'001);
  if (comm->root()) std::puts("collectives hold");
  return end_ranks(comm.get(), 0, [] {});
}

int defaults() {
  auto comm = mpi_communicator_if_launched();
  check_sum(*comm);
  check_gather(*comm, 3'000'000);
  check_broadcast(*comm, 70'000'000);
  for (int i = 0; i < 3000; ++i) {
    std::vector<int64_t> one = {i};
    comm->sum(one);
    EXPECT(one[0] == int64_t{i} * comm->size());
    comm->barrier();
  }
  EXPECT(all_min(*comm, 5 - comm->rank()) == 6 - comm->size());
  if (comm->root()) std::puts("collectives hold");
  comm.reset();  // ends in order without end_ranks
  return 0;
}

int end_with(Communicator* comm, const Error& error) {
  return end_ranks(comm, static_cast<int>(error.code), [&] { std::fprintf(stderr, "sluice: error: %s\n", error.what()); });
}

// All ranks fail alike; or rank 1 alone, while the others wait in a collective; or at the end.
int failing(const std::string& mode) {
  auto comm = mpi_communicator_if_launched();
  try {
    comm->barrier();
    if (mode == "agreed" || comm->rank() == 1) fail(ErrorCode::kBadInput, "row 7", "it is not a number", "mend it");
    if (mode == "lone") comm->barrier();
    return end_ranks(comm.get(), 0, [] {});
  } catch (const Error& error) {
    return end_with(comm.get(), error);
  }
}

// A rank stops, is killed, or leaves by an exception that nobody turned into a code.
int losing(const std::string& mode) {
  auto comm = mpi_communicator_if_launched();
  std::vector<int64_t> values(1000, 1);
  for (int i = 0;; ++i) {
    if (i == 50 && comm->rank() == 2 && mode != "forever") {
      if (mode == "unwound") throw 1;
      kill(getpid(), mode == "kill" ? SIGKILL : SIGSTOP);
    }
    if (i >= 50 && mode == "stop-busy" && comm->rank() != 2) {
      for (volatile int64_t busy = 1; busy == 1;) {
      }
    }
    comm->sum(values);
  }
}

int check(const std::string& mode) {
  if (mode == "collectives") return collectives();
  if (mode == "defaults") return defaults();
  if (mode == "agreed" || mode == "lone" || mode == "last") return failing(mode);
  try {
    return losing(mode);
  } catch (int) {
    return 70;
  }
}

}  // namespace
}  // namespace sluice

int main(int count, char** words) {
  return count == 2 ? sluice::check(words[1]) : 2;
}
