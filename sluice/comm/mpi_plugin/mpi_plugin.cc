// MPI behind the table of mpi_table.h. MPI_THREAD_SERIALIZED: the program's thread and the watchdog take turns by one lock, and nobody
// holds it while waiting: every collective is started, then looked at until it is done.
#include <mpi.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "sluice/comm/mpi_plugin/mpi_table.h"
#include "sluice/comm/mpi_plugin/watchdog.h"

namespace sluice {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr int kRankFailed = 9;

// Ends the process if what it guards (a call into MPI that can't be looked at while it runs) does not return in time.
class Deadline {
 public:
  template <class Late>
  Deadline(double seconds, int code, Late late)
      : thread_([this, seconds, code, late] {
          std::unique_lock lock(mutex_);
          if (done_.wait_for(lock, Seconds(seconds), [this] { return over_; })) return;
          late();
          _exit(code);
        }) {}
  ~Deadline() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    done_.notify_all();
    thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable done_;
  bool over_ = false;
  std::thread thread_;
};

struct Run {
  MpiStart options;
  bool ours = false;  // who started MPI ends it
  int rank = 0;
  int size = 1;
  MPI_Comm comm = MPI_COMM_NULL;
  MPI_Comm ending = MPI_COMM_NULL;  // for the last meeting, which may begin while others are still at a collective
  std::timed_mutex mpi;
  std::atomic<bool> lost{false};
  std::string failure;
  std::unique_ptr<Watchdog> watchdog;
};

Run& as_run(void* run) {
  return *static_cast<Run*>(run);
}

std::string& start_failure() {
  static thread_local std::string text;
  return text;
}

[[noreturn]] void abort_all(Run& run, int code) {
  const Deadline deadline(5, code, [] {});
  const bool mine = run.mpi.try_lock_for(std::chrono::seconds(1));
  MPI_Abort(MPI_COMM_WORLD, code);
  if (mine) run.mpi.unlock();
  _exit(code);
}

int refuse(Run& run, int error) {
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(error, text, &length);
  run.failure.assign(text, static_cast<size_t>(length));
  std::replace(run.failure.begin(), run.failure.end(), '\n', ' ');
  return 1;
}

// Looks at a request until it is done: at first all the time, then with sleeps of up to 0.2 ms, because ranks may share a core.
// Returns 0 done, 1 failed, 2 not done by `limit` seconds.
int wait_for(Run& run, MPI_Request& request, double limit) {
  const auto begin = Clock::now();
  long sleep = 5'000;
  for (;;) {
    int done = 0;
    {
      const std::lock_guard lock(run.mpi);
      const int error = MPI_Test(&request, &done, MPI_STATUS_IGNORE);
      if (error != MPI_SUCCESS) return refuse(run, error);
    }
    if (done) return 0;
    if (run.lost.load()) {
      // The watchdog is ending the run with its own word; a second error line would only confuse.
      std::this_thread::sleep_for(std::chrono::seconds(10));
      run.failure = "another rank is lost";
      return 1;
    }
    const double waited = Seconds(Clock::now() - begin).count();
    if (waited > limit) return 2;
    if (waited < 50e-6) {
      std::this_thread::yield();
      continue;
    }
    const timespec nap{0, sleep};
    nanosleep(&nap, nullptr);
    sleep = std::min(2 * sleep, 200'000L);
  }
}

constexpr double kForever = 1e300;

// Starts a nonblocking call and waits for it.
template <class Begin>
int call(Run& run, const Begin& begin) {
  MPI_Request request = MPI_REQUEST_NULL;
  {
    const std::lock_guard lock(run.mpi);
    const int error = begin(&request);
    if (error != MPI_SUCCESS) return refuse(run, error);
  }
  return wait_for(run, request, kForever);
}

int rank_of(void* run) {
  return as_run(run).rank;
}
int size_of_run(void* run) {
  return as_run(run).size;
}

int sum(void* handle, int64_t* values, int64_t count) {
  Run& run = as_run(handle);
  const int64_t most = std::max<int64_t>(1, run.options.chunk / 8);
  for (int64_t done = 0; done < count; done += most) {
    const int now = static_cast<int>(std::min(most, count - done));
    const int failed = call(run, [&](MPI_Request* request) {
      return MPI_Iallreduce(MPI_IN_PLACE, values + done, now, MPI_UINT64_T, MPI_SUM, run.comm, request);
    });
    if (failed) return failed;
  }
  return 0;
}

int gather_lengths(void* handle, int64_t mine, int64_t* lengths) {
  Run& run = as_run(handle);
  return call(run, [&](MPI_Request* request) { return MPI_Iallgather(&mine, 1, MPI_INT64_T, lengths, 1, MPI_INT64_T, run.comm, request); });
}

int broadcast(void* handle, void* bytes, int64_t count, int root) {
  Run& run = as_run(handle);
  for (int64_t done = 0; done < count; done += run.options.chunk) {
    const int now = static_cast<int>(std::min(run.options.chunk, count - done));
    const int failed = call(
        run, [&](MPI_Request* request) { return MPI_Ibcast(static_cast<char*>(bytes) + done, now, MPI_BYTE, root, run.comm, request); });
    if (failed) return failed;
  }
  return 0;
}

// All in one message, by way of a buffer.
int gather_small(Run& run, const void* mine, const int64_t* lengths, void* const* into, int64_t total) {
  std::vector<char> all(static_cast<size_t>(total));
  std::vector<int> counts(lengths, lengths + run.size);
  std::vector<int> places(counts.size(), 0);
  for (size_t r = 1; r < places.size(); ++r) places[r] = places[r - 1] + counts[r - 1];
  const int failed = call(run, [&](MPI_Request* request) {
    return MPI_Iallgatherv(mine, counts[static_cast<size_t>(run.rank)], MPI_BYTE, all.data(), counts.data(), places.data(), MPI_BYTE,
                           run.comm, request);
  });
  if (failed) return failed;
  for (size_t r = 0; r < places.size(); ++r) {
    if (counts[r] > 0) std::memcpy(into[r], all.data() + places[r], static_cast<size_t>(counts[r]));
  }
  return 0;
}

int gather_bytes(void* handle, const void* mine, const int64_t* lengths, void* const* into) try {
  Run& run = as_run(handle);
  double all = 0;  // as a double: the sum of lengths may pass int64 only where no memory could hold it
  for (int r = 0; r < run.size; ++r) all += static_cast<double>(lengths[r]);
  if (all <= static_cast<double>(run.options.chunk)) return gather_small(run, mine, lengths, into, static_cast<int64_t>(all));
  if (lengths[run.rank] > 0) std::memcpy(into[run.rank], mine, static_cast<size_t>(lengths[run.rank]));
  for (int r = 0; r < run.size; ++r) {
    if (const int failed = broadcast(handle, into[r], lengths[r], r)) return failed;
  }
  return 0;
} catch (const std::bad_alloc&) {
  as_run(handle).failure = "no memory for a message";
  return 1;
}

int barrier(void* handle) {
  Run& run = as_run(handle);
  return call(run, [&](MPI_Request* request) { return MPI_Ibarrier(run.comm, request); });
}

int meet_at_end(void* handle, int code, double grace, int* codes) {
  Run& run = as_run(handle);
  MPI_Request request = MPI_REQUEST_NULL;
  {
    const std::lock_guard lock(run.mpi);
    const int error = MPI_Iallgather(&code, 1, MPI_INT, codes, 1, MPI_INT, run.ending, &request);
    if (error != MPI_SUCCESS) return refuse(run, error);
  }
  return wait_for(run, request, grace) == 0 ? 0 : 1;
}

int finalize(void* handle) {
  const std::unique_ptr<Run> run(&as_run(handle));
  run->watchdog.reset();
  const Deadline deadline(run->options.timeout, kRankFailed, [] {});
  MPI_Comm_free(&run->comm);
  MPI_Comm_free(&run->ending);
  if (run->ours) MPI_Finalize();
  return 0;
}

void abort_run(void* handle, int code) {
  abort_all(as_run(handle), code);
}

const char* failure(void* handle) {
  return handle == nullptr ? start_failure().c_str() : as_run(handle).failure.c_str();
}

// MPI itself, with the level of threads we need.
bool start_mpi(Run& run) {
  int running = 0;
  int level = 0;
  MPI_Initialized(&running);
  if (running) {
    MPI_Query_thread(&level);
  } else {
    const MpiStart& o = run.options;
    const Deadline deadline(o.timeout, kRankFailed, [&o] { o.lost(o.context, -1, o.timeout); });
    if (MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &level) != MPI_SUCCESS) {
      start_failure() = "MPI does not start";
      return false;
    }
    run.ours = true;
  }
  if (level >= MPI_THREAD_SERIALIZED) return true;
  start_failure() = "this MPI does not let two threads take turns (MPI_THREAD_SERIALIZED)";
  return false;
}

void* start(const MpiStart* options) try {
  auto run = std::make_unique<Run>();
  run->options = *options;
  if (!start_mpi(*run)) return nullptr;
  MPI_Comm_dup(MPI_COMM_WORLD, &run->comm);
  MPI_Comm_dup(MPI_COMM_WORLD, &run->ending);
  MPI_Comm_set_errhandler(run->comm, MPI_ERRORS_RETURN);
  MPI_Comm_set_errhandler(run->ending, MPI_ERRORS_RETURN);
  MPI_Comm_rank(run->comm, &run->rank);
  MPI_Comm_size(run->comm, &run->size);
  if (run->size > 1) {
    Run* self = run.get();
    run->watchdog = std::make_unique<Watchdog>(run->mpi, options->timeout, [self](int rank, double seconds) {
      self->lost = true;
      self->options.lost(self->options.context, rank, seconds);
      abort_all(*self, kRankFailed);
    });
  }
  return run.release();
} catch (const std::exception& error) {
  start_failure() = error.what();
  return nullptr;
}

constexpr MpiTable kTable = {MpiTable::kVersion, start,   rank_of,     size_of_run, sum,       gather_lengths, gather_bytes,
                             broadcast,          barrier, meet_at_end, finalize,    abort_run, failure};

}  // namespace
}  // namespace sluice

extern "C" __attribute__((visibility("default"))) const void* sluice_plugin_mpi() {
  return &sluice::kTable;
}
