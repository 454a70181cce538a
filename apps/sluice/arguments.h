// The words of the command line as an Invocation. A walker over the command table: it knows no command and no parameter by name.
#pragma once
#include <string>
#include <vector>

#include "sluice/pipeline/commands.h"

namespace sluice {

struct Arguments {
  Invocation invocation;
  bool help = false;  // of the command, or of the program when `command` is empty
  bool version = false;
  int64_t seed = 0;
  int threads = 0;     // 0: all the process may use
  int64_t memory = 0;  // 0: 80 % of what the process may use
  bool verbose = false;
  std::string progress = "auto";
};

// Throws Error{kUsage}: unknown commands and options by name with the nearest known one, missing and bad values with what is wanted.
Arguments parse_arguments(const std::vector<std::string>& words);

// An option that is no command's own.
enum class OptionGroup {
  kRun,          // every command
  kInput,        // commands that read data
  kRows,         // those that take rows of numbers
  kWeight,       // those that weigh rows
  kAssignments,  // those that write clusters
};
struct CommonOption {
  const char* name;   // long, without dashes
  const char* value;  // what stands for its value in the help; null: a flag
  const char* help;
  OptionGroup group = OptionGroup::kRun;
};
const std::vector<CommonOption>& common_options();
// Whether the option means anything to the command; if not it is refused.
bool takes(const Command& command, const CommonOption& option);

}  // namespace sluice
