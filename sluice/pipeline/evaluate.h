// `evaluate`: how good a given labelling is, by itself and against known labels. `choose-k`: how many clusters, if any.
#pragma once
#include "sluice/pipeline/invocation.h"

namespace sluice {

struct EvaluateParams {
  std::string labels;
  std::string silhouette = "euclidean";
  template <class Visitor>
  void describe(Visitor&& v) {
    v(labels, "labels", FilePath{}, "The labels to judge, one a row; -1 is noise.");
    v(silhouette, "silhouette", Text{}, "euclidean (scikit-learn's), squared or cosine (both linear in the rows).");
  }
};

Said evaluate_command(const Invocation& in, Context& ctx);
Said choose_k_command(const Invocation& in, Context& ctx);

}  // namespace sluice
