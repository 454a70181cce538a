#include "sluice/comm/mpi_plugin/watchdog.h"

#include <algorithm>
#include <chrono>

namespace sluice {

namespace {
using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;
}  // namespace

Watchdog::Watchdog(std::timed_mutex& mpi, double timeout, std::function<void(int, double)> lost)
    : mpi_(mpi), timeout_(timeout), lost_(std::move(lost)) {
  int rank = 0;
  int size = 1;
  {
    const std::lock_guard lock(mpi_);
    MPI_Comm_dup(MPI_COMM_WORLD, &comm_);
    MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN);
    MPI_Comm_rank(comm_, &rank);
    MPI_Comm_size(comm_, &size);
  }
  before_ = (rank + size - 1) % size;
  after_ = (rank + 1) % size;
  thread_ = std::thread([this] { watch(); });
}

Watchdog::~Watchdog() {
  if (thread_.joinable()) stop();
}

void Watchdog::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
  const std::lock_guard lock(mpi_);
  MPI_Comm_free(&comm_);
}

void Watchdog::beat(bool last) {
  int free_to_send = 1;
  if (sending_ != MPI_REQUEST_NULL) MPI_Test(&sending_, &free_to_send, MPI_STATUS_IGNORE);
  if (!free_to_send || said_goodbye_) return;
  sent_ = last ? 1 : 0;
  said_goodbye_ = last;
  MPI_Isend(&sent_, 1, MPI_INT, after_, 0, comm_, &sending_);
}

void Watchdog::listen() {
  for (int came = 1; came && !heard_goodbye_;) {
    if (listening_ == MPI_REQUEST_NULL && MPI_Irecv(&heard_, 1, MPI_INT, before_, 0, comm_, &listening_) != MPI_SUCCESS) return;
    if (MPI_Test(&listening_, &came, MPI_STATUS_IGNORE) != MPI_SUCCESS) return;
    if (!came) return;
    alive_ = true;
    heard_goodbye_ = heard_ == 1;
  }
}

void Watchdog::watch() {
  const double tick = std::clamp(timeout_ / 40, 0.005, 0.25);
  double silent = 0;
  bool told_to_stop = false;
  auto last = Clock::now();
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      // While the goodbyes travel, look often: the other ranks wait for it.
      wake_.wait_for(lock, Seconds(told_to_stop ? 0.0005 : tick), [&] { return stopping_ && !told_to_stop; });
      told_to_stop = stopping_;
    }
    {
      const std::lock_guard lock(mpi_);
      beat(told_to_stop);
      listen();
      int sent = 1;
      if (told_to_stop && sending_ != MPI_REQUEST_NULL) MPI_Test(&sending_, &sent, MPI_STATUS_IGNORE);
      if (said_goodbye_ && heard_goodbye_ && sent) return;
    }
    const auto now = Clock::now();
    // A whole job that was suspended and goes on has not lost anybody: a look counts as two ticks at most.
    silent = alive_ || heard_goodbye_ ? 0 : silent + std::min(Seconds(now - last).count(), 2 * tick);
    alive_ = false;
    last = now;
    if (silent > timeout_) return lost_(before_, timeout_);
  }
}

}  // namespace sluice
