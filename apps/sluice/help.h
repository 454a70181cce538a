// What --help prints.
#pragma once
#include <string>

namespace sluice {
std::string program_help();
std::string command_help(const std::string& command);  // Error{kUsage} for an unknown one
}  // namespace sluice
