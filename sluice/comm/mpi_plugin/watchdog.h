// The watchdog of one rank: tells the next rank in the ring that this one lives, and listens to the one before. A ring is enough: if
// not all ranks are stopped, some living rank listens to a stopped one.
#pragma once
#include <mpi.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace sluice {

class Watchdog {
 public:
  // `mpi` guards every MPI call of the process. `lost(rank, seconds)` is called at most once, from the watchdog's thread.
  Watchdog(std::timed_mutex& mpi, double timeout, std::function<void(int rank, double seconds)> lost);
  ~Watchdog();
  // Says goodbye and waits for the goodbye of the rank before. Collective.
  void stop();

 private:
  void watch();
  void beat(bool last);
  void listen();
  std::timed_mutex& mpi_;
  double timeout_;
  std::function<void(int, double)> lost_;
  MPI_Comm comm_ = MPI_COMM_NULL;
  int before_ = 0;
  int after_ = 0;
  int sent_ = 0;  // what the messages hold: 1 is goodbye
  int heard_ = 0;
  MPI_Request sending_ = MPI_REQUEST_NULL;
  MPI_Request listening_ = MPI_REQUEST_NULL;
  bool said_goodbye_ = false;
  bool heard_goodbye_ = false;
  bool alive_ = false;  // a message came since the last look
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace sluice
