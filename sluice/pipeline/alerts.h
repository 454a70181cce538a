// From a detector's scores to what a person reads: which rows are flagged, how surprising each is, and why. For the fit and for apply.
#pragma once
#include "sluice/anomaly/threshold.h"
#include "sluice/pipeline/anomaly_params.h"
#include "sluice/pipeline/input.h"

namespace sluice {

// What a model remembers so that new rows are judged as the fit's were. Its tensors are named `alerts.*`.
struct AlertRule {
  AnomalyPlan::Decide decide = AnomalyPlan::Decide::kFdr;
  PValues p_values = PValues::kEmpirical;
  double fdr = 0.05;
  std::optional<double> threshold;  // of the fit; nothing: no score was high enough
  EmpiricalNull null;
  std::vector<double> calibration;  // conformal: ascending
  Matrix<double> usual;             // 3 x d: the 5 %, 50 % and 95 % quantiles of the fit's columns
  int64_t explain = 1000;
  int64_t top_features = 5;
  std::string positive;  // the label that means anomalous; empty: as `--positive` says by default
};
void put_rule(ModelFile& model, const AlertRule& rule);
AlertRule load_rule(const ModelFile& model, int64_t cols);  // Error{kBadModel}

// The rule that a plan and a fit make, and the p-values of the fit's rows (all ranks'). With conformal p-values the detector is fitted twice
// more, on halves of the rows.
struct MadeRule {
  AlertRule rule;
  std::vector<double> scores, p_values;
};
MadeRule make_rule(const AnomalyPlan& plan, const Outcome& fitted, const Source& rows, Context& ctx);

// Adds to an outcome that has scores: flags.npy, p_values.npy, alerts.csv, the first alerts as a table, the keys method, threshold and
// n_flagged, and with labels roc_auc and average_precision. Every flagged row, and no other, scores at least `threshold`. Collective.
void add_alerts(Outcome& out, const std::string& method, const AlertRule& rule, const std::vector<double>& scores,
                const std::vector<double>& p_values, std::optional<double> threshold, const Dataset& data, Context& ctx);

// New rows: everything add_alerts does, by the rule in the model.
void judge_new_rows(Outcome& out, const ModelFile& model, const Dataset& data, Context& ctx);

}  // namespace sluice
