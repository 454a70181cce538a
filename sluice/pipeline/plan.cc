#include "sluice/pipeline/plan.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include "sluice/pipeline/anomaly_params.h"
#include "sluice/pipeline/basket_input.h"
#include "sluice/pipeline/files.h"
#include "sluice/pipeline/select_command.h"
#include "sluice/pipeline/text_input.h"
#include "sluice/preprocess/preprocess.h"

namespace sluice {
namespace {

// Stages of the flow that are not there yet: refused where a file asks for them, never passed over in silence.
const std::vector<std::string> kPlanned = {"pretrain", "train"};
const std::vector<std::string> kStages = {"preprocess", "reduce", "cluster", "decision", "apply", "select", "rules", "generate", "anomaly"};

class Reader {
 public:
  Reader(std::string file) : file_(std::move(file)) {}

  [[noreturn]] void refuse(const YAML::Node& node, const std::string& what, const std::string& remedy) const {
    const int line = node.Mark().line;
    fail(ErrorCode::kUsage, file_ + (line >= 0 ? ":" + std::to_string(line + 1) : ""), what, remedy);
  }
  // The keys of a mapping, each once and each known.
  void check_keys(const YAML::Node& node, const std::string& where, const std::vector<std::string>& known) const {
    if (!node.IsMap()) refuse(node, where + " is no mapping", "write " + where + ": {key: value}");
    std::set<std::string> seen;
    for (const auto& entry : node) {
      const std::string key = text(entry.first, where);
      if (std::find(known.begin(), known.end(), key) == known.end()) {
        const std::string near = closest(key, known);
        std::string all;
        for (const std::string& name : known) all += (all.empty() ? "" : ", ") + name;
        refuse(entry.first, where + " has no key " + key, near.empty() ? "the keys are " + all : "did you mean " + near + "?");
      }
      if (!seen.insert(key).second) refuse(entry.first, "key " + key + " of " + where + " is given twice", "keep one of them");
    }
  }
  std::string text(const YAML::Node& node, const std::string& what) const {
    if (!node.IsScalar()) refuse(node, what + " is not a single value", "give one value");
    return node.Scalar();
  }
  std::vector<std::string> list(const YAML::Node& node, const std::string& what) const {
    if (node.IsScalar()) return {node.Scalar()};
    if (!node.IsSequence()) refuse(node, what + " is no list", "write [a, b]");
    std::vector<std::string> out;
    for (const YAML::Node& item : node) out.push_back(text(item, what));
    return out;
  }
  bool flag(const YAML::Node& node, const std::string& what) const {
    const std::string value = text(node, what);
    if (value != "true" && value != "false") refuse(node, what + " is neither true nor false", "write true or false");
    return value == "true";
  }
  bool is_off(const YAML::Node& node) const { return node.IsScalar() && (node.Scalar() == "off" || node.Scalar() == "false"); }
  const std::string& file() const { return file_; }

  // A stage's parameters, checked by the struct that declares them.
  template <class P>
  ParamTexts params(const YAML::Node& node, const std::string& stage) const {
    std::vector<std::string> known;
    for (const ParamInfo& info : param_infos<P>()) known.push_back(info.name);
    check_keys(node, stage, known);
    ParamTexts out;
    P checked;
    for (const auto& entry : node)
      take(entry.first.Scalar(), entry.second, stage, out,
           [&](const std::string& key, const std::string& value) { set_param(checked, key, value); });
    return out;
  }
  template <class Set>
  void take(const std::string& key, const YAML::Node& value, const std::string& stage, ParamTexts& out, const Set& set) const {
    out[key] = text(value, stage + "." + key);
    try {
      set(key, out[key]);
    } catch (const Error& error) {
      refuse(value, stage + "." + key + ": " + error.message, error.remedy);
    }
  }

 private:
  std::string file_;
};

struct NoParams {
  template <class Visitor>
  void describe(Visitor&&) {}
};

// A stage whose keys are `method` (an algorithm of these kinds or a special word; left out, the usual one), that method's parameters, and
// the stage's own, P.
template <class P = NoParams>
StagePlan method_stage(const Reader& in, const YAML::Node& node, const std::string& stage, const std::vector<Kind>& kinds,
                       const std::vector<std::string>& special, const std::string& usual) {
  StagePlan out;
  if (node.IsScalar()) {
    out.method = node.Scalar();
  } else {
    if (!node.IsMap()) in.refuse(node, stage + " is no mapping", "write " + stage + ": {method: ..., key: value}");
    out.method = node["method"] ? in.text(node["method"], stage + ".method") : usual;
  }
  const YAML::Node at = node.IsMap() && node["method"] ? node["method"] : node;
  const Algorithm* algorithm = find_algorithm(out.method);
  std::vector<std::string> known = special;
  for (const Algorithm& one : algorithms()) {
    if (std::find(kinds.begin(), kinds.end(), one.kind) != kinds.end()) known.emplace_back(one.name);
  }
  if (std::find(known.begin(), known.end(), out.method) == known.end()) {
    std::string all;
    for (const std::string& name : known) all += (all.empty() ? "" : ", ") + name;
    in.refuse(at, stage + ": there is no method " + out.method, "the methods are " + all);
  }
  if (!node.IsMap()) return out;
  std::vector<std::string> keys{"method"};
  const std::vector<ParamInfo> infos = algorithm == nullptr ? std::vector<ParamInfo>{} : algorithm->params();
  for (const ParamInfo& info : infos) keys.push_back(info.name);
  std::vector<std::string> own;
  for (const ParamInfo& info : param_infos<P>()) own.push_back(info.name);
  keys.insert(keys.end(), own.begin(), own.end());
  in.check_keys(node, stage, keys);
  P checked;
  for (const auto& entry : node) {
    const std::string key = entry.first.Scalar();
    if (key == "method") continue;
    if (std::find(own.begin(), own.end(), key) != own.end()) {
      in.take(key, entry.second, stage, out.more,
              [&](const std::string& name, const std::string& value) { set_param(checked, name, value); });
      continue;
    }
    if (key == "n_clusters" && entry.second.IsScalar() && entry.second.Scalar() == "auto") {
      out.params[key] = "auto";  // choose-k decides
      continue;
    }
    in.take(key, entry.second, stage, out.params,
            [&](const std::string& name, const std::string& value) { algorithm->resolve({{name, value}}); });
  }
  return out;
}

// The method and all parameters of the detector and of the threshold stand together, as anomaly_plan() takes them.
StagePlan anomaly_stage_plan(const Reader& in, const YAML::Node& node) {
  if (in.is_off(node)) return {true};
  StagePlan out;
  std::vector<std::string> known;
  for (const ParamInfo& info : anomaly_param_infos()) known.push_back(info.name);
  if (node.IsScalar()) {
    out.params["method"] = node.Scalar();
  } else {
    in.check_keys(node, "anomaly", known);
    for (const auto& entry : node) out.params[entry.first.Scalar()] = in.text(entry.second, "anomaly." + entry.first.Scalar());
  }
  try {
    const AnomalyPlan checked = anomaly_plan(out.params);
    out.method = checked.detector->name;
  } catch (const Error& error) {
    std::string key = error.where.starts_with("--") ? error.where.substr(2) : error.where;
    std::replace(key.begin(), key.end(), '-', '_');
    in.refuse(node, "anomaly." + key + ": " + error.message, error.remedy);
  }
  return out;
}

StagePlan select_stage_plan(const Reader& in, const YAML::Node& node, const InputOptions& input) {
  if (in.is_off(node)) return {true, {}, {}, {}};
  StagePlan out;
  out.params = in.params<SelectStageParams>(node, "select");
  if (out.params.contains("propagate") && input.label.empty())
    in.refuse(node["propagate"], "select.propagate: there are no labels to propagate", "add input.label, or leave it out");
  if (!input.text.column.empty()) out.params.try_emplace("metric", "cosine");  // as texts are compared
  return out;
}

// A miner's parameters stand beside those of the baskets it is given.
StagePlan rules_stage_plan(const Reader& in, const YAML::Node& node) {
  if (in.is_off(node)) return {true};
  StagePlan out = method_stage<BasketParams>(in, node, "rules", {Kind::kMiner}, {}, "eclat");
  out.params.merge(std::exchange(out.more, {}));
  return out;
}

std::string resolved_path(const std::string& path, const std::string& file) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (path == "-" || fs::path(path).is_absolute()) return path;
  const fs::path beside = fs::path(file).parent_path() / path;
  if (fs::exists(beside, error) || !fs::exists(path, error)) return beside.string();
  return path;
}

// The column whose words make the rows, and how they are weighed.
void read_text(const Reader& in, const YAML::Node& node, TextOptions& text) {
  if (node["text"]) text.column = in.text(node["text"], "input.text");
  for (const ParamInfo& info : text_param_infos()) {
    const YAML::Node value = node[info.name];
    if (!value) continue;
    if (text.column.empty()) in.refuse(value, "input." + info.name + " goes with input.text only", "add text: COLUMN");
    in.take(info.name, value, "input", text.params,
            [](const std::string& name, const std::string& word) { check_text_params({{name, word}}); });
  }
  if (const auto words = text.params.find("stop_words"); words != text.params.end()) {
    const std::string as_file = resolved_path(words->second, in.file());
    std::error_code error;
    if (std::filesystem::is_regular_file(as_file, error)) words->second = as_file;
  }
}

void read_input(const Reader& in, const YAML::Node& node, InputOptions& input) {
  if (!node) fail(ErrorCode::kUsage, in.file(), "input is missing", "write input: {path: FILE}");
  std::vector<std::string> known{"path",  "label",    "format", "columns", "exclude", "id",  "header",
                                 "array", "encoding", "size",   "gray",    "dtype",   "text"};
  for (const ParamInfo& info : text_param_infos()) known.push_back(info.name);
  in.check_keys(node, "input", known);
  if (!node["path"]) in.refuse(node, "input.path is missing", "write input: {path: FILE}");
  for (const std::string& path : in.list(node["path"], "input.path")) input.inputs.push_back(resolved_path(path, in.file()));
  if (node["label"]) {
    input.label = in.text(node["label"], "input.label");
    const std::string as_file = resolved_path(input.label, in.file());
    std::error_code error;
    if (std::filesystem::is_regular_file(as_file, error)) input.label = as_file;
  }
  if (node["format"]) input.read.format = in.text(node["format"], "input.format");
  if (node["columns"]) input.columns = in.list(node["columns"], "input.columns");
  if (node["exclude"]) input.exclude = in.list(node["exclude"], "input.exclude");
  if (node["id"]) input.id = in.text(node["id"], "input.id");
  if (node["header"]) input.read.header = in.flag(node["header"], "input.header");
  if (node["array"]) input.read.array = in.text(node["array"], "input.array");
  if (node["encoding"]) input.read.encoding = in.text(node["encoding"], "input.encoding");
  if (node["gray"]) input.read.gray = in.flag(node["gray"], "input.gray");
  if (node["dtype"]) input.dtype = in.text(node["dtype"], "input.dtype");
  if (node["size"]) {
    const auto size = parse_number<int64_t>(in.text(node["size"], "input.size"));
    if (!size || *size < 1 || *size > 65536) in.refuse(node["size"], "input.size is no size", "give 1 to 65536");
    input.read.image_size = *size;
  }
  read_text(in, node, input.text);
}

void read_stages(const Reader& in, const YAML::Node& stages, Plan& plan) {
  std::vector<std::string> known = kStages;
  known.insert(known.end(), kPlanned.begin(), kPlanned.end());
  in.check_keys(stages, "stages", known);
  for (const std::string& stage : kPlanned) {
    if (stages[stage] && !in.is_off(stages[stage]))
      in.refuse(stages[stage], "stage " + stage + " is not there yet", "write " + stage + ": off");
  }
  if (const YAML::Node node = stages["preprocess"]) {
    plan.preprocess.off = in.is_off(node);
    if (!plan.preprocess.off) plan.preprocess.params = in.params<PreprocessParams>(node, "preprocess");
  }
  if (const YAML::Node node = stages["reduce"]) {
    plan.reduce.off = in.is_off(node);
    if (!plan.reduce.off) plan.reduce = method_stage(in, node, "reduce", {Kind::kReducer}, {"auto"}, "auto");
  }
  if (const YAML::Node node = stages["cluster"]) {
    plan.cluster_off = in.is_off(node);
    plan.cluster.clear();
    if (node.IsSequence()) {
      for (const YAML::Node& one : node)
        plan.cluster.push_back(method_stage(in, one, "cluster", {Kind::kClusterer, Kind::kMixture}, {}, "kmeans"));
    } else if (node.IsMap() && node["method"] && node["method"].IsSequence()) {
      in.check_keys(node, "cluster", {"method"});
      for (const YAML::Node& one : node["method"])
        plan.cluster.push_back(method_stage(in, one, "cluster", {Kind::kClusterer, Kind::kMixture}, {}, "kmeans"));
    } else if (!plan.cluster_off) {
      plan.cluster.push_back(method_stage(in, node, "cluster", {Kind::kClusterer, Kind::kMixture}, {}, "kmeans"));
    }
  }
  if (const YAML::Node node = stages["decision"]) {
    const std::string word = in.text(node, "decision");
    static const std::map<std::string, Decide> kWords = {
        {"auto", Decide::kAuto}, {"cluster", Decide::kCluster}, {"rules", Decide::kRules}, {"both", Decide::kBoth}};
    if (!kWords.contains(word)) in.refuse(node, "there is no decision " + word, "write auto, cluster, rules or both");
    plan.decision = kWords.at(word);
  }
  if (const YAML::Node node = stages["apply"]) {
    plan.apply.off = in.is_off(node);
    if (!plan.apply.off) plan.apply.params = in.params<ApplyClustersParams>(node, "apply");
  }
  if (const YAML::Node node = stages["select"]) plan.select = select_stage_plan(in, node, plan.input);
  if (const YAML::Node node = stages["rules"]) plan.rules = rules_stage_plan(in, node);
  if (const YAML::Node node = stages["generate"])
    plan.generate = in.is_off(node) ? StagePlan{true} : method_stage<GenerateParams>(in, node, "generate", {Kind::kMixture}, {}, "gmm");
  if (const YAML::Node node = stages["anomaly"]) plan.anomaly = anomaly_stage_plan(in, node);
}

std::string params_text(const ParamTexts& params) {
  std::string out;
  for (const auto& [key, value] : params) out += (out.empty() ? "" : ", ") + key + " " + value;
  return out.empty() ? "defaults" : out;
}

}  // namespace

std::string decision_word(Decide decision) {
  switch (decision) {
    case Decide::kCluster:
      return "cluster";
    case Decide::kRules:
      return "rules";
    case Decide::kBoth:
      return "both";
    default:
      return "auto";
  }
}

Plan parse_plan(const std::string& text, const std::string& file) {
  const Reader in(file);
  YAML::Node root;
  try {
    root = YAML::Load(text);
  } catch (const YAML::Exception& error) {
    fail(ErrorCode::kUsage, file + ":" + std::to_string(error.mark.line + 1), "it is no YAML: " + error.msg, "mend this line");
  }
  Plan plan;
  plan.file = file;
  in.check_keys(root, "the file", {"sluice", "input", "seed", "stages"});
  if (!root["sluice"] || in.text(root["sluice"], "sluice") != "1")
    in.refuse(root, "it does not say sluice: 1", "begin the file with sluice: 1");
  read_input(in, root["input"], plan.input);
  if (root["seed"]) {
    const auto seed = parse_number<int64_t>(in.text(root["seed"], "seed"));
    if (!seed || *seed < 0) in.refuse(root["seed"], "seed is no whole number from 0", "write seed: 0");
    plan.seed = static_cast<uint64_t>(*seed);
  }
  plan.reduce.method = "auto";
  plan.cluster.push_back({false, "kmeans", {{"n_clusters", "auto"}}, {}});
  const bool of_words = !plan.input.text.column.empty();
  if (of_words) plan.cluster.back().params["metric"] = "cosine";  // as texts are compared
  plan.rules.method = "eclat";
  plan.generate.method = "gmm";
  plan.anomaly.method = "isolation_forest";
  if (root["stages"]) read_stages(in, root["stages"], plan);
  if (of_words && !plan.preprocess.params.empty())
    in.refuse(root["stages"]["preprocess"], "preprocess takes columns, and input.text makes rows of words", "leave preprocess out");
  if (plan.cluster_off && (plan.decision == Decide::kCluster || plan.decision == Decide::kBoth))
    fail(ErrorCode::kUsage, file, "the decision needs stage cluster, which is off", "leave cluster on");
  if (plan.rules.off && plan.rules_wanted())
    fail(ErrorCode::kUsage, file, "the decision needs stage rules, which is off", "leave rules on");
  return plan;
}

Plan read_plan(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) fail(ErrorCode::kIo, path, "there is no such file", "check the name");
  return parse_plan(read_text_file(path), path);
}

std::string plan_text(const Plan& plan) {
  std::string out = "input       " + plan.input.inputs.front() + "\n";
  out += "preprocess  " + (plan.preprocess.off ? "off" : params_text(plan.preprocess.params)) + "\n";
  out += "reduce      " + (plan.reduce.off ? "off" : plan.reduce.method + ", " + params_text(plan.reduce.params)) + "\n";
  for (const StagePlan& stage : plan.cluster)
    out += "cluster     " + (plan.cluster_off ? "off" : stage.method + ", " + params_text(stage.params)) + "\n";
  out += "decision    " + decision_word(plan.decision) + (plan.decision == Decide::kAuto ? ": measured" : ", forced") + "\n";
  out += "apply       " + (plan.apply.off ? "off" : params_text(plan.apply.params)) + "\n";
  out += "select      " + (plan.select.off ? "off" : params_text(plan.select.params)) + "\n";
  out += "rules       " + (plan.rules.off ? "off" : plan.rules.method + ", " + params_text(plan.rules.params)) +
         (plan.rules.off || plan.rules_wanted() ? ""
          : plan.decision == Decide::kCluster   ? " (not reached)"
                                                : " (where there is no structure)") +
         "\n";
  out += "generate    " + (plan.generate.off ? "off" : plan.generate.method + ", " + params_text(plan.generate.params)) + "\n";
  out += "anomaly     " + (plan.anomaly.off ? "off" : plan.anomaly.method + ", " + params_text(plan.anomaly.params)) + "\n";
  for (const std::string& stage : kPlanned) out += stage + std::string(12 - stage.size(), ' ') + "not there yet\n";
  return out;
}

}  // namespace sluice
