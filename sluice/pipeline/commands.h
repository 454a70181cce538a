// All commands by name: those of the registry's algorithms, and the ones around them.
#pragma once
#include <string>
#include <vector>

#include "sluice/pipeline/invocation.h"

namespace sluice {

enum class Takes { kData, kNothing, kFolder, kModelAndData, kFile };

struct Command {
  std::string name;
  std::string summary;
  Takes takes = Takes::kData;
  std::string positional;  // how the help names what it takes
  std::vector<ParamInfo> params;
  // Runs it. Writes its folder unless it has none.
  Said (*run)(const Invocation& in, Context& ctx) = nullptr;
};

const std::vector<Command>& commands();
const Command* find_command(const std::string& name);  // null if there is none

// Runs the command in `ctx`. Throws Error.
Said run_command(const Invocation& in, Context& ctx);

}  // namespace sluice
