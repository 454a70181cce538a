// A pipeline file, read and checked: which stages, in which way. Running it is run.h's affair.
// Unknown keys, wrong types and keys given twice are Error{kUsage} with file, line and the nearest known key.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "sluice/core/params.h"
#include "sluice/pipeline/input.h"
#include "sluice/pipeline/registry.h"

namespace sluice {

enum class Decide { kAuto, kCluster, kRules, kBoth };

// What the yes branch does with the clusters.
struct ApplyClustersParams {
  bool balance = true;
  bool dedup = true;
  double dedup_distance = 0;

  template <class Visitor>
  void describe(Visitor&& v) {
    v(balance, "balance", Flag{}, "Weigh rows so that every cluster counts the same.");
    v(dedup, "dedup", Flag{}, "Drop rows that lie within dedup_distance of a kept row of their cluster, which is their witness.");
    v(dedup_distance, "dedup_distance", Range<double>{0, 1e300}, "Distance up to which two rows count as duplicates; 0: equal rows only.");
  }
};

// What the generative stage makes of the model it fits.
struct GenerateParams {
  double augment = 0.5;

  template <class Visitor>
  void describe(Visitor&& v) {
    v(augment, "augment", Range<double>{0, 1000}, "Rows to draw from the model, as a share of the rows it was fitted on.");
  }
};

struct StagePlan {
  bool off = false;
  std::string method;  // of stages that have several
  ParamTexts params;
  ParamTexts more;  // the stage's own parameters beside the method's
};

struct Plan {
  std::string file;
  InputOptions input;
  uint64_t seed = 0;
  StagePlan preprocess;
  StagePlan reduce;                // method auto: PCA where there are more than 32 columns
  std::vector<StagePlan> cluster;  // one or several methods; the best by silhouette is used
  bool cluster_off = false;
  Decide decision = Decide::kAuto;
  StagePlan apply;
  StagePlan rules;  // run where there is no cluster structure, or where the decision says so
  StagePlan generate;
  StagePlan anomaly;
  StagePlan select{true, {}, {}, {}};  // only where a file asks for it
  bool rules_wanted() const { return decision == Decide::kRules || decision == Decide::kBoth; }
};

// Reads and checks the whole file. A relative path in it is relative to the file's folder, or to the working folder if it exists only
// there.
Plan read_plan(const std::string& path);
Plan parse_plan(const std::string& text, const std::string& file);

std::string decision_word(Decide decision);  // as a file writes it

// The plan as a person reads it: a line a stage.
std::string plan_text(const Plan& plan);

}  // namespace sluice
