#include "help.h"

#include <algorithm>

#include "arguments.h"
#include "sluice/core/error.h"
#include "sluice/pipeline/text_input.h"

namespace sluice {
namespace {

std::string padded(std::string text, size_t width) {
  text += text.size() < width ? std::string(width - text.size(), ' ') : "  ";
  return text;
}

std::string lines_of(const std::vector<ParamInfo>& params) {
  std::string out;
  for (const ParamInfo& info : params) {
    std::string flag = "--" + info.name;
    std::replace(flag.begin(), flag.end(), '_', '-');
    if (!info.is_flag)
      flag += " " + (info.range.empty() ? std::string(info.is_file ? "FILE" : "TEXT") : info.type.starts_with("choice") ? "WORD" : "N");
    out += "  " + padded(flag, 26) + info.help + "\n" + std::string(28, ' ');
    if (!info.range.empty()) out += info.range + (info.type.ends_with("auto") ? ", or auto" : "") + "; ";
    out += "default " + info.default_json + (info.sklearn_default.empty() ? "" : " (scikit-learn: " + info.sklearn_default + ")") + "\n";
  }
  return out;
}

}  // namespace

std::string program_help() {
  std::string out =
      "sluice: raw, unlabelled data in; clusters, a cleaned training set and a page that explains them out.\n\n"
      "  sluice COMMAND INPUT... [--option value]...     sluice COMMAND --help     sluice --version\n\nCommands:\n";
  for (const Command& command : commands()) out += "  " + padded(command.name, 14) + command.summary + "\n";
  return out;
}

std::string command_help(const std::string& name) {
  const Command* command = find_command(name);
  if (command == nullptr) fail(ErrorCode::kUsage, name, "there is no such command", "see sluice --help");
  std::string out = "sluice " + command->name + " " + command->positional + " [--option value]...\n\n  " + command->summary + "\n";
  if (!command->params.empty()) out += "\nParameters:\n" + lines_of(command->params);
  out += "\nOptions:\n";
  for (const CommonOption& option : common_options()) {
    if (!takes(*command, option)) continue;
    out += "  " + padded("--" + std::string(option.name) + (option.value == nullptr ? "" : " " + std::string(option.value)), 26) +
           option.help + "\n";
  }
  const auto text =
      std::find_if(common_options().begin(), common_options().end(), [](const auto& o) { return std::string(o.name) == "text"; });
  if (takes(*command, *text)) out += "\nWith --text:\n" + lines_of(text_param_infos());
  return out;
}

}  // namespace sluice
