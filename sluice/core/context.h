// What a computation may use and must obey: threads, ranks, seed, memory, who watches, and the wish to stop. Passed, never global.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "sluice/core/communicator.h"
#include "sluice/core/matrix.h"

namespace sluice {

// Receives progress; called from one thread at a time.
class Progress {
 public:
  virtual ~Progress() = default;
  virtual void stage(const std::string& name, int64_t total_steps) = 0;
  virtual void step(int64_t done, const std::string& note) = 0;
};

// Keeps small states of a long computation so that an interrupted run can go on. See pipeline/checkpoint.h.
class Checkpoints {
 public:
  virtual ~Checkpoints() = default;
  // The bytes last kept under `key` by an earlier run with the same input and parameters; empty if none.
  virtual Bytes load(const std::string& key) = 0;
  // Keeps `state` under `key` if the last save is older than a few seconds, or always if `now`. Rank 0 writes.
  virtual void save(const std::string& key, Bytes state, bool now) = 0;
};

struct Context {
  int threads = 1;
  Communicator* comm = nullptr;  // null: one rank
  uint64_t seed = 0;
  int64_t memory = int64_t{1} << 40;  // bytes of resident memory the run may reach
  std::string spool_dir;              // where data larger than memory goes
  Progress* progress = nullptr;
  Checkpoints* checkpoints = nullptr;
  const std::atomic<bool>* stop = nullptr;
  std::function<Matrix<double>(const std::string& path)> read_matrix;  // for parameters that name a file
  int64_t leaf_rows = 0;                                               // 0: the constant of fold.h; tests set others

  int rank() const { return comm == nullptr ? 0 : comm->rank(); }
  int ranks() const { return comm == nullptr ? 1 : comm->size(); }
  bool stopped() const { return stop != nullptr && stop->load(std::memory_order_relaxed); }
  void stage(const std::string& name, int64_t total = 0) const {
    if (progress != nullptr) progress->stage(name, total);
  }
  void step(int64_t done, const std::string& note = {}) const {
    if (progress != nullptr) progress->step(done, note);
  }
};

}  // namespace sluice
