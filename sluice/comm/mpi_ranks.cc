#include "sluice/comm/mpi_ranks.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>

#include "sluice/comm/mpi_plugin/mpi_table.h"
#include "sluice/core/error.h"
#include "sluice/core/plugin.h"

namespace sluice {

namespace {

constexpr double kDefaultTimeout = 30;
constexpr double kGrace = 2;
constexpr double kNoLimit = 1e300;

double timeout_of(const MpiOptions& options) {
  if (options.timeout > 0) return options.timeout;
  const char* text = std::getenv("SLUICE_RANK_TIMEOUT");
  if (text == nullptr) return kDefaultTimeout;
  double seconds = 0;
  const auto [end, error] = std::from_chars(text, text + std::strlen(text), seconds);
  if (error != std::errc() || *end != 0 || !(seconds >= 0.1 && seconds <= 1e6)) {
    fail(ErrorCode::kUsage, "SLUICE_RANK_TIMEOUT", std::string("'") + text + "' is not a number of seconds from 0.1 to 1000000",
         "set it to a number such as 30");
  }
  return seconds;
}

// Ranks of the job as the launcher's variables tell: 0 when there is no launcher, -1 when it does not say how many.
int launched_ranks() {
  bool launched = false;
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MPI_LOCALNRANKS"}) {
    const char* text = std::getenv(name);
    if (text == nullptr) continue;
    launched = true;
    int ranks = 0;
    const auto [end, error] = std::from_chars(text, text + std::strlen(text), ranks);
    if (error == std::errc() && ranks > 0 && std::strcmp(name, "MPI_LOCALNRANKS") != 0) return ranks;
  }
  return launched || std::getenv("PMIX_RANK") != nullptr ? -1 : 0;
}

std::string whole_or_decimal(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

struct Lost {
  std::function<void(const std::string&, const std::string&, const std::string&)> say;
};

void say_lost(void* context, int rank, double seconds) {
  const std::string where = rank < 0 ? "MPI" : "rank " + std::to_string(rank);
  const std::string message =
      rank < 0 ? "it did not start within " + whole_or_decimal(seconds) + " s" : "no sign of life for " + whole_or_decimal(seconds) + " s";
  const std::string remedy = "see that every machine of the run is up, then run the same command again";
  const auto& say = static_cast<Lost*>(context)->say;
  if (say) return say(where, message, remedy);
  const std::string line = "sluice: error: " + where + ": " + message + "; " + remedy + "\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
}

class MpiCommunicator final : public Communicator {
 public:
  MpiCommunicator(const MpiTable& table, const MpiOptions& options) : table_(table), lost_{options.lost} {
    const MpiStart start{timeout_of(options), options.chunk, say_lost, &lost_};
    run_ = table_.start(&start);
    if (run_ == nullptr) fail(ErrorCode::kRankFailed, "MPI", table_.failure(nullptr), "see that mpirun and libsluice_mpi are of one MPI");
    rank_ = table_.rank(run_);
    size_ = table_.size(run_);
  }
  ~MpiCommunicator() override {
    if (run_ == nullptr) return;
    if (std::uncaught_exceptions() > 0) table_.abort(run_, static_cast<int>(ErrorCode::kBug));
    end(0, [] {});
  }
  MpiCommunicator(const MpiCommunicator&) = delete;
  MpiCommunicator& operator=(const MpiCommunicator&) = delete;

  int rank() const override { return rank_; }
  int size() const override { return size_; }

  void sum(std::span<int64_t> values) override { check(table_.sum(run_, values.data(), static_cast<int64_t>(values.size()))); }

  std::vector<Bytes> all_gather(std::span<const std::byte> mine) override {
    std::vector<int64_t> lengths(static_cast<size_t>(size_));
    check(table_.gather_lengths(run_, static_cast<int64_t>(mine.size()), lengths.data()));
    std::vector<Bytes> all;
    std::vector<void*> into;
    for (const int64_t length : lengths) all.emplace_back(static_cast<size_t>(length));
    for (Bytes& bytes : all) into.push_back(bytes.data());
    check(table_.gather_bytes(run_, mine.data(), lengths.data(), into.data()));
    return all;
  }

  void broadcast(Bytes& bytes, int root) override {
    auto length = static_cast<int64_t>(bytes.size());
    check(table_.broadcast(run_, &length, sizeof length, root));
    if (rank_ != root) bytes.resize(static_cast<size_t>(length));
    check(table_.broadcast(run_, bytes.data(), length, root));
  }

  void barrier() override { check(table_.barrier(run_)); }

  int end(int code, const std::function<void()>& say) {
    std::vector<int> codes(static_cast<size_t>(size_));
    if (table_.meet_at_end(run_, code, code == 0 ? kNoLimit : kGrace, codes.data()) != 0) {
      if (code != 0) say();
      table_.abort(run_, code == 0 ? static_cast<int>(ErrorCode::kRankFailed) : code);
    }
    int worst = 0;
    for (int r = size_ - 1; r >= 0; --r) {
      if (codes[static_cast<size_t>(r)] != 0) worst = r;
    }
    if (worst == rank_ && code != 0) say();
    table_.finalize(run_);
    run_ = nullptr;
    return codes[static_cast<size_t>(worst)];
  }

 private:
  void check(int failed) const {
    if (failed != 0) {
      fail(ErrorCode::kRankFailed, "rank " + std::to_string(rank_),
           std::string("a message to the other ranks failed: ") + table_.failure(run_),
           "see that every machine of the run is up, then run the same command again");
    }
  }

  const MpiTable& table_;
  Lost lost_;
  void* run_ = nullptr;
  int rank_ = 0;
  int size_ = 1;
};

}  // namespace

std::unique_ptr<Communicator> mpi_communicator_if_launched(const MpiOptions& options) {
  const int ranks = launched_ranks();
  if (ranks == 0 || ranks == 1) return nullptr;
  const std::string need = ranks > 1 ? "a run over " + std::to_string(ranks) + " ranks" : "a run under an MPI launcher";
  const auto& table = plugin<MpiTable>("mpi", need, "install OpenMPI and build sluice with SLUICE_MPI=ON, or start it without a launcher");
  auto comm = std::make_unique<MpiCommunicator>(table, options);
  if (comm->size() > 1) return comm;
  comm->end(0, [] {});
  return nullptr;
}

int end_ranks(Communicator* comm, int code, const std::function<void()>& say) {
  if (auto* mpi = dynamic_cast<MpiCommunicator*>(comm)) return mpi->end(code, say);
  if (code != 0) say();
  return code;
}

}  // namespace sluice
