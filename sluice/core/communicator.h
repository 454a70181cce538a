// What the ranks of one run say to each other. Three backends: self (below), threads as ranks (comm/thread_ranks.h, for
// tests and comparisons), and MPI (a plug-in, comm/mpi_plugin.h). Every call is collective: all ranks make the same calls in the same
// order. Results are the same bytes on all ranks. A dead or silent rank ends in Error{kRankFailed} on the others.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "sluice/core/bytes.h"

namespace sluice {

class Communicator {
 public:
  virtual ~Communicator() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  // Element-wise sum over ranks, wrapping modulo 2^64; exact, so the order of ranks does not matter.
  virtual void sum(std::span<int64_t> values) = 0;
  // Every rank's bytes, in rank order.
  virtual std::vector<Bytes> all_gather(std::span<const std::byte> mine) = 0;
  // Rank `root`'s bytes on every rank; `bytes` is read there and replaced elsewhere.
  virtual void broadcast(Bytes& bytes, int root) = 0;
  virtual void barrier() = 0;
  bool root() const { return rank() == 0; }
};

// A run of one rank.
class SelfCommunicator final : public Communicator {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  void sum(std::span<int64_t>) override {}
  std::vector<Bytes> all_gather(std::span<const std::byte> mine) override { return {Bytes(mine.begin(), mine.end())}; }
  void broadcast(Bytes&, int) override {}
  void barrier() override {}
};

// The smallest of the ranks' values.
int64_t all_min(Communicator& comm, int64_t mine);

}  // namespace sluice
