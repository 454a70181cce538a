// One command as it was given, in words; and what the machine lets it use. Made by the command line or by Python, run by commands.h.
#pragma once
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sluice/pipeline/input.h"
#include "sluice/pipeline/registry.h"

namespace sluice {

// Seconds of a run's parts, in the order they ended; what one lap takes is what passed since the one before.
struct StageTimes {
  std::vector<std::pair<std::string, double>> seconds;
  std::chrono::steady_clock::time_point last = std::chrono::steady_clock::now();

  void lap(const std::string& name) {
    const auto now = std::chrono::steady_clock::now();
    seconds.emplace_back(name, std::chrono::duration<double>(now - last).count());
    last = now;
  }
};

struct Invocation {
  std::string command;
  InputOptions input;
  ParamTexts params;  // the command's own parameters
  std::string out;    // "" means sluice-out/COMMAND
  bool overwrite = false;
  std::string spool;
  std::string assignments = "csv";
  bool seed_given = false;  // --seed was there: it goes before a pipeline file's
  bool json = false;
  bool quiet = false;
  std::chrono::steady_clock::time_point begun = std::chrono::steady_clock::now();
  std::shared_ptr<StageTimes> times = std::make_shared<StageTimes>();  // for run.json: every command adds its parts
};

// The folder a run writes: --out, or sluice-out/COMMAND.
inline std::string out_dir(const Invocation& in) {
  return in.out.empty() ? "sluice-out/" + in.command : in.out;
}

// What a command leaves behind beside its files: summary.json's content, and a few lines for people.
struct Said {
  Json summary;
  std::string text;
};

// Memory this process may use (physical, or the container's limit), and processors it may run on.
int64_t usable_memory();
int usable_threads();
// Highest resident memory so far, in bytes.
int64_t peak_memory();

}  // namespace sluice
