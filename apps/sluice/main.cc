// The program `sluice`: words in, exit code out. Everything it does stands in pipeline/.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>

#include "arguments.h"
#include "help.h"
#include "progress.h"
#include "sluice/comm/mpi_ranks.h"
#include "sluice/core/error.h"
#include "sluice/kernels/cpu.h"
#include "sluice/pipeline/record.h"

namespace sluice {
namespace {

std::atomic<bool> stop_wanted{false};

// The first wish to stop is passed on; a second one ends the process at once, which leaves nothing torn either.
void on_signal(int) {
  if (stop_wanted.exchange(true)) ::_exit(static_cast<int>(ErrorCode::kInterrupted));
}

void listen() {
  struct sigaction action{};
  action.sa_handler = on_signal;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

Error as_error() {
  try {
    throw;
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return Error(ErrorCode::kMemory, "memory", "the system has no more memory to give", "use less data or a smaller --memory");
  } catch (const std::exception& error) {
    return Error(ErrorCode::kBug, "sluice", error.what(), "please report this as a bug");
  }
}

void say(const Error& error, bool json) {
  std::string line = error.what();
  for (char& c : line) c = c == '\n' || c == '\r' ? ' ' : c;
  std::fprintf(stderr, "sluice: error: %s\n", line.c_str());
  if (json) {
    const Json object = {
        {"error", {{"code", static_cast<int>(error.code)}, {"where", error.where}, {"message", error.message + "; " + error.remedy}}}};
    std::fputs(to_json_text(object).c_str(), stdout);
  }
}

// What --verbose adds: the means of a run before it, and what it took after it.
void say_means(const Context& ctx) {
  std::fprintf(stderr, "sluice: %d thread%s, %d rank%s, %s instructions, at most %lld MiB\n", ctx.threads, ctx.threads == 1 ? "" : "s",
               ctx.ranks(), ctx.ranks() == 1 ? "" : "s", std::string(kernels::target_name()).c_str(),
               static_cast<long long>(ctx.memory >> 20));
}

void say_cost(const Invocation& in) {
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - in.begun;
  std::fprintf(stderr, "sluice: %.2f s, %lld MiB at most\n", seconds.count(), static_cast<long long>(peak_memory() >> 20));
}

void check_target() {
  if (kernels::target_status() == kernels::TargetStatus::kOk) return;
  fail(ErrorCode::kUsage, "SLUICE_TARGET", "'" + std::string(kernels::target_request()) + "' is no instruction set this machine has",
       "unset it, or give scalar, avx2, avx3");
}

Context context_of(const Arguments& args, Communicator* comm) {
  Context ctx;
  ctx.threads = args.threads > 0 ? args.threads : usable_threads();
  ctx.memory = args.memory > 0 ? args.memory : static_cast<int64_t>(0.8 * static_cast<double>(usable_memory()));
  ctx.seed = static_cast<uint64_t>(args.seed);
  ctx.comm = comm;
  ctx.stop = &stop_wanted;
  if (const char* rows = std::getenv("SLUICE_LEAF_ROWS")) ctx.leaf_rows = parse_number<int64_t>(rows).value_or(0);  // for tests: other cuts
  return ctx;
}

int run(const std::vector<std::string>& words) {
  Arguments args;
  std::unique_ptr<Communicator> comm;
  std::optional<Error> failed;
  try {
    args = parse_arguments(words);
    if (args.version) {
      std::printf("sluice %s\n", version().c_str());
      return 0;
    }
    if (args.help) {
      std::fputs((args.invocation.command.empty() ? program_help() : command_help(args.invocation.command)).c_str(), stdout);
      return 0;
    }
    check_target();
    MpiOptions mpi;
    mpi.lost = [json = args.invocation.json](const std::string& where, const std::string& message, const std::string& remedy) {
      say(Error(ErrorCode::kRankFailed, where, message, remedy), json);
    };
    comm = mpi_communicator_if_launched(mpi);
    Context ctx = context_of(args, comm.get());
    TextProgress progress(::isatty(2) != 0, args.progress == "on" ? 1 : 10);
    if (ctx.rank() == 0 && !args.invocation.quiet && args.progress != "off") ctx.progress = &progress;
    if (args.verbose && ctx.rank() == 0) say_means(ctx);
    const Said said = run_command(args.invocation, ctx);
    progress.clear();
    if (args.verbose && ctx.rank() == 0) say_cost(args.invocation);
    if (ctx.rank() == 0) {
      if (args.invocation.json) {
        std::fputs(to_json_text(said.summary).c_str(), stdout);
      } else if (!args.invocation.quiet) {
        std::fputs(said.text.c_str(), stdout);
      }
      if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
        fail(ErrorCode::kIo, "standard output", "writing failed; the folder itself is complete", "free some space, or use --quiet");
    }
  } catch (...) {
    failed.emplace(as_error());
  }
  const bool json = args.invocation.json || std::find(words.begin(), words.end(), "--json") != words.end();
  return end_ranks(comm.get(), failed ? static_cast<int>(failed->code) : 0, [&] { say(*failed, json); });
}

}  // namespace
}  // namespace sluice

int main(int argc, char** argv) {
  sluice::listen();
  return sluice::run({argv + 1, argv + argc});
}
