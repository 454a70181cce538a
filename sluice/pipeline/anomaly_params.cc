#include "sluice/pipeline/anomaly_params.h"

#include <algorithm>
#include <cmath>

namespace sluice {
namespace {

std::vector<const Algorithm*> detectors() {
  std::vector<const Algorithm*> all;
  for (const Algorithm& algorithm : algorithms()) {
    if (algorithm.kind == Kind::kDetector) all.push_back(&algorithm);
  }
  return all;
}

bool has_param(const std::vector<ParamInfo>& infos, const std::string& name) {
  return std::ranges::any_of(infos, [&](const ParamInfo& info) { return info.name == name; });
}

std::string dashed(std::string name) {
  std::replace(name.begin(), name.end(), '_', '-');
  return "--" + name;
}

const Algorithm* detector_of(const std::string& method) {
  std::vector<std::string> words;
  std::string list;
  for (const Algorithm* detector : detectors()) {
    if (method == detector->name) return detector;
    words.emplace_back(detector->name);
    list += (list.empty() ? "" : ", ") + words.back();
  }
  const std::string near = closest(method, words);
  fail(ErrorCode::kUsage, "--method", "'" + method + "' is no detector",
       (near.empty() ? "" : "did you mean " + near + "? ") + "there are " + list);
}

[[noreturn]] void refuse(const std::string& name, const Algorithm& detector) {
  std::string owners;
  std::vector<std::string> known;
  for (const ParamInfo& info : anomaly_param_infos()) known.push_back(info.name);
  for (const Algorithm* other : detectors()) {
    if (has_param(other->params(), name)) owners += (owners.empty() ? "" : ", ") + std::string(other->name);
  }
  if (owners.empty()) {
    const std::string near = closest(name, known);
    fail(ErrorCode::kUsage, dashed(name), "there is no such parameter",
         near.empty() ? "see sluice anomaly --help" : "did you mean " + dashed(near) + "?");
  }
  fail(ErrorCode::kUsage, dashed(name), "it means nothing to --method " + std::string(detector.name),
       "leave it out; it belongs to " + owners);
}

AnomalyPlan::Decide decide_of(const AnomalyPlan& plan, const ParamTexts& given) {
  const bool by_share = plan.params.contamination.has_value(), by_value = plan.params.threshold.has_value();
  if (by_share + by_value + (given.contains("fdr") ? 1 : 0) > 1)
    fail(ErrorCode::kUsage, by_value ? "--threshold" : "--contamination", "more than one rule says which rows are flagged",
         "give one of --fdr, --contamination and --threshold");
  return by_share ? AnomalyPlan::Decide::kShare : by_value ? AnomalyPlan::Decide::kValue : AnomalyPlan::Decide::kFdr;
}

}  // namespace

AnomalyPlan anomaly_plan(const ParamTexts& given) {
  AnomalyPlan plan;
  const std::vector<ParamInfo> own = param_infos<AnomalyParams>();
  for (const auto& [name, text] : given) {
    if (has_param(own, name)) {
      set_param(plan.params, name, text);
    } else {
      plan.detector_params[name] = text;
    }
  }
  plan.detector = detector_of(plan.params.method);
  const std::vector<ParamInfo> its = plan.detector->params();
  for (const auto& [name, text] : plan.detector_params) {
    if (!has_param(its, name)) refuse(name, *plan.detector);
  }
  plan.detector->resolve(plan.detector_params);  // refuses bad values before any work
  plan.decide = decide_of(plan, given);
  // What DBSCAN calls noise scores above 1; that rule comes with the method.
  if (plan.params.method == "dbscan_noise" && plan.decide == AnomalyPlan::Decide::kFdr && !given.contains("fdr")) {
    plan.params.threshold = std::nextafter(1.0, 2.0);
    plan.decide = AnomalyPlan::Decide::kValue;
  }
  return plan;
}

std::map<std::string, std::string> anomaly_resolve(const AnomalyPlan& plan) {
  std::map<std::string, std::string> all = plan.detector->resolve(plan.detector_params);
  for (auto& [name, value] : param_values(plan.params)) all[name] = value;
  if (plan.decide != AnomalyPlan::Decide::kFdr) all.erase("fdr");
  if (plan.decide != AnomalyPlan::Decide::kShare) all.erase("contamination");
  if (plan.decide != AnomalyPlan::Decide::kValue) all.erase("threshold");
  return all;
}

std::vector<ParamInfo> anomaly_param_infos() {
  std::vector<ParamInfo> all = param_infos<AnomalyParams>();
  for (ParamInfo& info : all) {
    if (info.name != "method") continue;
    info.help = "The detector:";
    for (const Algorithm* detector : detectors()) {
      info.choices.emplace_back(detector->name);
      info.help += (info.choices.size() > 1 ? ", " : " ") + std::string(detector->name);
    }
    info.help += ".";
  }
  const size_t own = all.size();
  for (const Algorithm* detector : detectors()) {
    for (ParamInfo info : detector->params()) {
      const std::string name = detector->name;
      const auto found = std::find_if(all.begin() + static_cast<std::ptrdiff_t>(own), all.end(),
                                      [&](const ParamInfo& other) { return other.name == info.name; });
      if (found == all.end()) {
        info.help = name + ": " + info.help;
        all.push_back(std::move(info));
        continue;
      }
      if (found->type != info.type) {  // each detector checks its own
        found->type = "text";
        found->choices.clear();
      }
      found->help += " " + name + ": " + info.help;
      if (found->default_json != info.default_json) found->help += " (default " + info.default_json + ")";
    }
  }
  return all;
}

}  // namespace sluice
