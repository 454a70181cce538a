#include "arguments.h"

#include <algorithm>

#include "sluice/core/error.h"
#include "sluice/core/text.h"
#include "sluice/pipeline/text_input.h"

namespace sluice {
namespace {

std::string underscored(std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

std::string dashed(std::string name) {
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> out;
  size_t at = 0;
  for (;;) {
    const size_t comma = list.find(',', at);
    out.push_back(list.substr(at, comma - at));
    if (comma == std::string::npos) return out;
    at = comma + 1;
  }
}

template <class T>
T number(const std::string& option, const std::string& text, T low, T high) {
  const auto value = parse_number<T>(text);
  if (!value || *value < low || *value > high) {
    fail(ErrorCode::kUsage, "--" + option, "'" + text + "' is not a value for it",
         "give a whole number from " + to_text(static_cast<int64_t>(low)) + " to " + to_text(static_cast<int64_t>(high)));
  }
  return *value;
}

std::string one_of(const std::string& option, const std::string& text, const std::vector<std::string>& words) {
  if (std::find(words.begin(), words.end(), text) != words.end()) return text;
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : " | ") + word;
  fail(ErrorCode::kUsage, "--" + option, "'" + text + "' is not a value for it", "give " + all);
}

void set_common(Arguments& out, const std::string& name, const std::string& value) {
  Invocation& in = out.invocation;
  if (name == "out") in.out = value;
  if (name == "overwrite") in.overwrite = true;
  if (name == "seed") in.seed_given = true;
  if (name == "seed") out.seed = number<int64_t>(name, value, 0, (int64_t{1} << 62));
  if (name == "threads") out.threads = number<int>(name, value, 1, 4096);
  if (name == "memory") {
    const auto bytes = parse_size(value);
    if (!bytes || *bytes < (int64_t{32} << 20))
      fail(ErrorCode::kUsage, "--memory", "'" + value + "' is not a size of at least 32M", "give bytes, or a number with K, M, G or T");
    out.memory = *bytes;
  }
  if (name == "spool") in.spool = value;
  if (name == "nan") {
    one_of(name, value, {"refuse", "drop", "impute"});
    in.input.nan = value == "drop" ? NanPolicy::kDrop : value == "impute" ? NanPolicy::kImpute : NanPolicy::kRefuse;
  }
  if (name == "dtype") in.input.dtype = one_of(name, value, {"float32", "float64"});
  if (name == "json") in.json = true;
  if (name == "quiet") in.quiet = true;
  if (name == "verbose") out.verbose = true;
  if (name == "progress") out.progress = one_of(name, value, {"auto", "on", "off"});
  if (name == "format") in.input.read.format = value;
  if (name == "no-header") in.input.read.header = false;
  if (name == "columns") in.input.columns = split(value);
  if (name == "exclude") in.input.exclude = split(value);
  if (name == "label") in.input.label = value;
  if (name == "id") in.input.id = value;
  if (name == "weight") in.input.weight = value;
  if (name == "array") in.input.read.array = value;
  if (name == "encoding") in.input.read.encoding = value;
  if (name == "size") in.input.read.image_size = number<int64_t>(name, value, 1, 65536);
  if (name == "gray") in.input.read.gray = true;
  if (name == "text") in.input.text.column = value;
  if (name == "assignments") in.assignments = one_of(name, value, {"csv", "parquet", "off"});
  if (in.assignments == "parquet") fail(ErrorCode::kUsage, "--assignments", "writing parquet is not there yet", "use csv or off");
}

const CommonOption* find_common(const std::string& name) {
  for (const CommonOption& option : common_options()) {
    if (name == option.name) return &option;
  }
  return nullptr;
}

[[noreturn]] void refuse_option(const Command& command, const CommonOption& option) {
  const bool fills = command.name == "preprocess" && std::string(option.name) == "nan";
  fail(ErrorCode::kUsage, "--" + std::string(option.name), "it means nothing to sluice " + command.name,
       fills ? "use --impute" : "leave it out");
}

const ParamInfo* find_param(const Command& command, const std::string& name) {
  for (const ParamInfo& info : command.params) {
    if (dashed(info.name) == name) return &info;
  }
  return nullptr;
}

// A parameter of --text, for commands that take it.
const ParamInfo* find_text_param(const Command& command, const std::string& name) {
  static const std::vector<ParamInfo> kAll = text_param_infos();
  if (!takes(command, *find_common("text"))) return nullptr;
  for (const ParamInfo& info : kAll) {
    if (dashed(info.name) == name) return &info;
  }
  return nullptr;
}

void check_text_options(const Invocation& in) {
  const TextOptions& text = in.input.text;
  if (text.params.empty()) return;
  const bool model = in.command == "apply";  // it says itself that the model has them
  if (text.column.empty() && !model)
    fail(ErrorCode::kUsage, "--" + dashed(text.params.begin()->first), "it goes with --text only", "add --text COLUMN, or leave it out");
  check_text_params(text.params);
}

[[noreturn]] void unknown_option(const Command& command, const std::string& name) {
  std::vector<std::string> known;
  for (const CommonOption& option : common_options()) known.emplace_back(option.name);
  for (const ParamInfo& info : command.params) known.push_back(dashed(info.name));
  const std::string near = closest(name, known);
  fail(ErrorCode::kUsage, "--" + name, "sluice " + command.name + " has no such option",
       near.empty() ? "see sluice " + command.name + " --help" : "did you mean --" + near + "?");
}

std::string expand_short(const std::string& word) {
  if (word == "-o") return "--out";
  if (word == "-q") return "--quiet";
  if (word == "-v") return "--verbose";
  if (word == "-h") return "--help";
  return word;
}

void place_positionals(Arguments& out, const Command& command, std::vector<std::string> words) {
  Invocation& in = out.invocation;
  if (command.takes == Takes::kModelAndData) {
    if (words.size() < 2)
      fail(ErrorCode::kUsage, command.name, "it takes a model and data", "sluice " + command.name + " " + command.positional);
    in.params["model"] = words.front();
    words.erase(words.begin());
  }
  const bool one = command.takes == Takes::kFolder || command.takes == Takes::kFile || command.takes == Takes::kNothing;
  if (command.takes == Takes::kNothing && !command.positional.empty() && !words.empty()) {
    in.params["kind"] = words.front();
    words.erase(words.begin());
  }
  if (command.takes != Takes::kNothing && words.empty())
    fail(ErrorCode::kUsage, command.name, "nothing to work on was named", "sluice " + command.name + " " + command.positional);
  if (one && words.size() > (command.takes == Takes::kNothing ? 0U : 1U))
    fail(ErrorCode::kUsage, words.back(), "one word too many", "sluice " + command.name + " " + command.positional);
  in.input.inputs = std::move(words);
}

}  // namespace

const std::vector<CommonOption>& common_options() {
  static const std::vector<CommonOption> kAll = {
      {"out", "DIR", "folder to write (-o); default sluice-out/COMMAND"},
      {"overwrite", nullptr, "replace a folder that no run of ours wrote"},
      {"seed", "N", "seed of every random choice; default 0"},
      {"threads", "N", "threads; default all the process may use"},
      {"memory", "SIZE", "most resident memory, as 400M or 8G; default 80 % of what the process may use"},
      {"spool", "DIR", "where data larger than memory goes; default inside the output"},
      {"nan", "WHAT", "missing and infinite values: refuse (default), drop the row, impute the mean", OptionGroup::kRows},
      {"dtype", "TYPE", "float32 rounds the values first, float64 takes them as read (default)", OptionGroup::kRows},
      {"json", nullptr, "summary.json on standard output, and nothing else"},
      {"quiet", nullptr, "no progress, no table (-q)"},
      {"verbose", nullptr, "say threads, memory and time on standard error (-v)"},
      {"progress", "WHEN", "auto (default: drawn on a terminal, else a line every 10 s), on (a line a second) or off"},
      {"format", "NAME", "format of the input, where its name does not tell", OptionGroup::kInput},
      {"no-header", nullptr, "the first line of a CSV holds data; columns are c0, c1, ...", OptionGroup::kInput},
      {"columns", "LIST", "feature columns by name or number, separated by commas; -1 is the last", OptionGroup::kInput},
      {"exclude", "LIST", "columns that are no features", OptionGroup::kInput},
      {"label", "COLUMN|FILE", "set aside, used only to evaluate", OptionGroup::kInput},
      {"id", "COLUMN", "names the rows in every output", OptionGroup::kInput},
      {"weight", "COLUMN", "how much each row counts", OptionGroup::kWeight},
      {"array", "NAME", "array of an npz file; default X, else its only matrix", OptionGroup::kInput},
      {"encoding", "NAME", "encoding of text; default UTF-8", OptionGroup::kInput},
      {"size", "N", "scale pictures to N x N", OptionGroup::kInput},
      {"gray", nullptr, "pictures by brightness alone", OptionGroup::kInput},
      {"text", "COLUMN", "rows from the words of a text column, as TF-IDF", OptionGroup::kRows},
      {"assignments", "WHAT", "csv (default), parquet or off", OptionGroup::kAssignments},
  };
  return kAll;
}

bool takes(const Command& command, const CommonOption& option) {
  const Algorithm* algorithm = find_algorithm(command.name);
  const bool data = command.takes == Takes::kData || command.takes == Takes::kModelAndData;
  const bool miner = algorithm != nullptr && algorithm->kind == Kind::kMiner;
  const bool table = command.name == "profile" || command.name == "preprocess" || command.name == "init" || miner;
  switch (option.group) {
    case OptionGroup::kInput:
      return data;
    case OptionGroup::kRows:
      return data && !table;
    case OptionGroup::kWeight:
      return algorithm != nullptr && !miner;
    case OptionGroup::kAssignments:
      return command.name == "run" || command.name == "apply" ||
             (algorithm != nullptr &&
              (algorithm->kind == Kind::kClusterer || algorithm->kind == Kind::kMixture || algorithm->kind == Kind::kSelector));
    default:
      return true;
  }
}

Arguments parse_arguments(const std::vector<std::string>& words) {
  Arguments out;
  size_t at = 0;
  const auto is = [&](const char* word) { return at < words.size() && expand_short(words[at]) == word; };
  if (words.empty() || is("--help") || is("help")) {
    out.help = true;
    if (words.size() > 1) out.invocation.command = words[1];
    return out;
  }
  if (is("--version")) {
    out.version = true;
    return out;
  }
  const Command* command = find_command(words[at]);
  if (command == nullptr) {
    static const std::vector<std::string> kPlanned = {"autoencoder", "vae",  "augment", "train",     "report",  "dedup",  "curate",
                                                      "compress",    "fuse", "topics",  "recommend", "explain", "forget", "release"};
    if (std::find(kPlanned.begin(), kPlanned.end(), words[at]) != kPlanned.end()) {
      fail(ErrorCode::kUsage, words[at], "this command is planned and not there yet", "see sluice --help for those that are");
    }
    std::vector<std::string> known;
    for (const Command& one : commands()) known.push_back(one.name);
    const std::string near = closest(words[at], known);
    fail(ErrorCode::kUsage, words[at], "there is no such command", near.empty() ? "see sluice --help" : "did you mean " + near + "?");
  }
  out.invocation.command = command->name;
  std::vector<std::string> positional;
  for (++at; at < words.size(); ++at) {
    std::string word = expand_short(words[at]);
    if (!word.starts_with("--") || word == "--") {
      positional.push_back(word);
      continue;
    }
    std::string name = word.substr(2);
    std::string value;
    bool has_value = false;
    if (const size_t equals = name.find('='); equals != std::string::npos) {
      value = name.substr(equals + 1);
      name.resize(equals);
      has_value = true;
    }
    if (name == "help") {
      out.help = true;
      return out;
    }
    const ParamInfo* param = find_param(*command, name);
    const CommonOption* common = param == nullptr ? find_common(name) : nullptr;
    const ParamInfo* text = param == nullptr && common == nullptr ? find_text_param(*command, name) : nullptr;
    if (text != nullptr) param = text;
    if (param == nullptr && common == nullptr) unknown_option(*command, name);
    if (common != nullptr && !takes(*command, *common)) refuse_option(*command, *common);
    const bool flag = param != nullptr ? param->is_flag : common->value == nullptr;
    if (flag && !has_value) value = "true";
    if (flag && common != nullptr && value != "true") fail(ErrorCode::kUsage, "--" + name, "it takes no value", "leave the value out");
    if (!flag && !has_value) {
      if (at + 1 == words.size() || expand_short(words[at + 1]).starts_with("--"))
        fail(ErrorCode::kUsage, "--" + name, "its value is missing", "see sluice " + command->name + " --help");
      value = words[++at];
    }
    if (text != nullptr) {
      out.invocation.input.text.params[text->name] = value;
    } else if (param != nullptr) {
      out.invocation.params[underscored(name)] = value;
    } else {
      set_common(out, name, value);
    }
  }
  place_positionals(out, *command, std::move(positional));
  check_text_options(out.invocation);
  return out;
}

}  // namespace sluice
