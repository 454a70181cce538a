#include "sluice/comm/thread_ranks.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <string>
#include <thread>

namespace sluice {

namespace {

enum class Call : uint8_t { kSum, kGather, kBroadcast, kBarrier };

struct Meeting {
  std::mutex mutex;
  std::condition_variable changed;
  int64_t number = 0;  // of meetings that have ended
  int arrived = 0;
  int left = -1;  // the first rank that has gone, or -1
  std::vector<std::span<const std::byte>> shown;
  std::vector<Call> calls;
};

class ThreadRank final : public Communicator {
 public:
  ThreadRank(Meeting& meeting, int rank) : meeting_(meeting), rank_(rank) {}

  int rank() const override { return rank_; }
  int size() const override { return static_cast<int>(meeting_.shown.size()); }

  void sum(std::span<int64_t> values) override {
    std::vector<int64_t> total(values.size());
    show(Call::kSum, std::as_bytes(values));
    for (const auto& part : meeting_.shown) {
      if (part.size() != values.size_bytes()) fail(ErrorCode::kBug, here(), "ranks sum different numbers of values", "report it");
    }
    for (const auto& part : meeting_.shown) {
      const auto* theirs = reinterpret_cast<const int64_t*>(part.data());
      for (size_t i = 0; i < total.size(); ++i) {
        total[i] = static_cast<int64_t>(static_cast<uint64_t>(total[i]) + static_cast<uint64_t>(theirs[i]));
      }
    }
    meet();  // nobody reads what was shown any more
    std::copy(total.begin(), total.end(), values.begin());
  }

  std::vector<Bytes> all_gather(std::span<const std::byte> mine) override {
    std::vector<Bytes> all;
    show(Call::kGather, mine);
    read_shown([&] {
      for (const auto& part : meeting_.shown) all.emplace_back(part.begin(), part.end());
    });
    return all;
  }

  void broadcast(Bytes& bytes, int root) override {
    show(Call::kBroadcast, rank_ == root ? std::span<const std::byte>(bytes) : std::span<const std::byte>());
    const auto& part = meeting_.shown[static_cast<size_t>(root)];
    read_shown([&] {
      if (rank_ != root) bytes.assign(part.begin(), part.end());
    });
  }

  void barrier() override { show(Call::kBarrier, {}), meet(); }

  void leave() {
    const std::lock_guard lock(meeting_.mutex);
    if (meeting_.left < 0) meeting_.left = rank_;
    meeting_.changed.notify_all();
  }
  // Whether this rank was told that another is gone.
  bool told() const { return told_; }

 private:
  std::string here() const { return "rank " + std::to_string(rank_); }

  void show(Call call, std::span<const std::byte> bytes) {
    {
      const std::lock_guard lock(meeting_.mutex);
      meeting_.shown[static_cast<size_t>(rank_)] = bytes;
      meeting_.calls[static_cast<size_t>(rank_)] = call;
    }
    meet();
    for (const Call theirs : meeting_.calls) {
      if (theirs != call) fail(ErrorCode::kBug, here(), "ranks make different collective calls", "report it");
    }
  }

  // Even a rank that can't hold what it reads waits until the others have read what it shows.
  template <class Read>
  void read_shown(const Read& read) {
    try {
      read();
    } catch (...) {
      meet();
      throw;
    }
    meet();
  }

  void meet() {
    std::unique_lock lock(meeting_.mutex);
    const int64_t now = meeting_.number;
    if (++meeting_.arrived == size()) {
      meeting_.arrived = 0;
      ++meeting_.number;
      meeting_.changed.notify_all();
      return;
    }
    meeting_.changed.wait(lock, [&] { return meeting_.number != now || meeting_.left >= 0; });
    if (meeting_.number == now) {
      told_ = true;
      fail(ErrorCode::kRankFailed, "rank " + std::to_string(meeting_.left), "it left before the others were done", "see its own error");
    }
  }

  Meeting& meeting_;
  int rank_;
  bool told_ = false;
};

}  // namespace

void run_as_ranks(int ranks, const std::function<void(Communicator&)>& body) {
  Meeting meeting;
  meeting.shown.resize(static_cast<size_t>(ranks));
  meeting.calls.resize(static_cast<size_t>(ranks));
  std::vector<std::exception_ptr> own(static_cast<size_t>(ranks));
  std::vector<std::exception_ptr> told(static_cast<size_t>(ranks));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] {
      ThreadRank comm(meeting, rank);
      try {
        body(comm);
      } catch (...) {
        (comm.told() ? told : own)[static_cast<size_t>(rank)] = std::current_exception();
      }
      comm.leave();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto* errors : {&own, &told}) {
    for (const std::exception_ptr& error : *errors) {
      if (error) std::rethrow_exception(error);
    }
  }
}

}  // namespace sluice
