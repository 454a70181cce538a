// The words of `sluice anomaly` and of a pipeline's anomaly stage: which detector, its own parameters, and how rows become alerts.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sluice/pipeline/registry.h"

namespace sluice {

enum class PValues { kEmpirical, kConformal };

struct AnomalyParams {
  std::string method = "isolation_forest";
  double fdr = 0.05;
  std::optional<double> contamination;
  std::optional<double> threshold;
  PValues p_values = PValues::kEmpirical;
  int64_t explain = 1000;
  int64_t top_features = 5;
  std::string positive;

  template <class Visitor>
  void describe(Visitor&& v) {
    v(method, "method", Text{}, "The detector, see the list below.");
    v(fdr, "fdr", Range<double>{1e-12, 0.5}, "Flag rows such that the expected share of false alarms among the alerts is at most this.");
    v(contamination, "contamination", Range<double>{0, 0.5}, "Instead: flag at most this share of the rows, the highest scores.");
    v(threshold, "threshold", Range<double>{-std::numeric_limits<double>::max(), std::numeric_limits<double>::max()},
      "Instead: flag rows that score at least this.");
    v(p_values, "p_values", Choices<PValues>{{{"empirical", PValues::kEmpirical}, {"conformal", PValues::kConformal}}},
      "Where p-values come from. empirical: the body of the scores; conformal: fits on halves of the rows, as the reference for apply.");
    v(explain, "explain", Range<int64_t>{0, 1'000'000}, "Alerts that get reasons, the highest scores first.");
    v(top_features, "top_features", Range<int64_t>{1, 1000}, "Most columns named as reasons of an alert.");
    v(positive, "positive", Text{}, "The value of --label that means anomalous; default: not 0, or all but the most frequent.");
  }
};

// What was asked for, checked.
struct AnomalyPlan {
  const Algorithm* detector = nullptr;
  ParamTexts detector_params;
  AnomalyParams params;
  enum class Decide { kFdr, kShare, kValue } decide = Decide::kFdr;
};
// Error{kUsage} for a method that is not there, a parameter that does not belong to the method (it says to which it does), and more than
// one of fdr, contamination and threshold.
AnomalyPlan anomaly_plan(const ParamTexts& given);

// Every parameter that counts, as JSON text: the plan's own and its detector's.
std::map<std::string, std::string> anomaly_resolve(const AnomalyPlan& plan);

// All parameters of the command: its own, then those of every detector, each name once.
std::vector<ParamInfo> anomaly_param_infos();

}  // namespace sluice
