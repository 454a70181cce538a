#include "sluice/pipeline/plan.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "sluice/pipeline/files.h"
#include "sluice/preprocess/preprocess.h"

namespace sluice {
namespace {

// Stages of the flow that are not there yet: refused where a file asks for them, never passed over in silence.
const std::vector<std::string> kPlanned = {"select", "rules", "generate", "pretrain", "anomaly", "train"};
const std::vector<std::string> kStages = {"preprocess", "reduce", "cluster", "decision", "apply"};

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

// A stage whose keys are `method` and that method's parameters.
StagePlan method_stage(const Reader& in, const YAML::Node& node, const std::string& stage, Kind kind,
                       const std::vector<std::string>& special) {
  StagePlan out;
  if (node.IsScalar()) {
    out.method = node.Scalar();
  } else {
    if (!node.IsMap()) in.refuse(node, stage + " is no mapping", "write " + stage + ": {method: ..., key: value}");
    out.method = node["method"] ? in.text(node["method"], stage + ".method") : special.empty() ? "" : special.front();
  }
  const YAML::Node at = node.IsMap() && node["method"] ? node["method"] : node;
  const Algorithm* algorithm = find_algorithm(out.method);
  std::vector<std::string> known = special;
  for (const Algorithm& one : algorithms()) {
    if (one.kind == kind) known.emplace_back(one.name);
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
  in.check_keys(node, stage, keys);
  for (const auto& entry : node) {
    const std::string key = entry.first.Scalar();
    if (key == "method") continue;
    if (key == "n_clusters" && entry.second.IsScalar() && entry.second.Scalar() == "auto") {
      out.params[key] = "auto";  // choose-k decides
      continue;
    }
    in.take(key, entry.second, stage, out.params,
            [&](const std::string& name, const std::string& value) { algorithm->resolve({{name, value}}); });
  }
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

void read_input(const Reader& in, const YAML::Node& node, InputOptions& input) {
  if (!node) fail(ErrorCode::kUsage, in.file(), "input is missing", "write input: {path: FILE}");
  in.check_keys(node, "input",
                {"path", "label", "format", "columns", "exclude", "id", "header", "array", "encoding", "size", "gray", "dtype"});
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
    if (!plan.reduce.off) plan.reduce = method_stage(in, node, "reduce", Kind::kReducer, {"auto"});
  }
  if (const YAML::Node node = stages["cluster"]) {
    plan.cluster_off = in.is_off(node);
    plan.cluster.clear();
    if (node.IsSequence()) {
      for (const YAML::Node& one : node) plan.cluster.push_back(method_stage(in, one, "cluster", Kind::kClusterer, {}));
    } else if (node.IsMap() && node["method"] && node["method"].IsSequence()) {
      in.check_keys(node, "cluster", {"method"});
      for (const YAML::Node& one : node["method"]) plan.cluster.push_back(method_stage(in, one, "cluster", Kind::kClusterer, {}));
    } else if (!plan.cluster_off) {
      plan.cluster.push_back(method_stage(in, node, "cluster", Kind::kClusterer, {}));
    }
  }
  if (const YAML::Node node = stages["decision"]) {
    const std::string word = in.text(node, "decision");
    if (word == "rules" || word == "both")
      in.refuse(node, "decision " + word + " needs stage rules, which is not there yet", "write decision: auto or cluster");
    if (word != "auto" && word != "cluster") in.refuse(node, "there is no decision " + word, "write auto, cluster, rules or both");
    plan.decision = word == "cluster" ? Decide::kCluster : Decide::kAuto;
  }
  if (const YAML::Node node = stages["apply"]) {
    plan.apply.off = in.is_off(node);
    if (!plan.apply.off) plan.apply.params = in.params<ApplyClustersParams>(node, "apply");
  }
}

std::string params_text(const ParamTexts& params) {
  std::string out;
  for (const auto& [key, value] : params) out += (out.empty() ? "" : ", ") + key + " " + value;
  return out.empty() ? "defaults" : out;
}

}  // namespace

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
  plan.cluster.push_back({false, "kmeans", {{"n_clusters", "auto"}}});
  if (root["stages"]) read_stages(in, root["stages"], plan);
  if (plan.cluster_off && plan.decision == Decide::kCluster)
    fail(ErrorCode::kUsage, file, "decision cluster needs stage cluster, which is off", "leave cluster on");
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
  out += std::string("decision    ") + (plan.decision == Decide::kCluster ? "cluster, forced" : "auto: measured") + "\n";
  out += "apply       " + (plan.apply.off ? "off" : params_text(plan.apply.params)) + "\n";
  for (const std::string& stage : kPlanned) out += stage + std::string(12 - stage.size(), ' ') + "not there yet\n";
  return out;
}

}  // namespace sluice
