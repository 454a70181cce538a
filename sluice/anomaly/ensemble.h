// An ensemble of detectors: the average of the ranks that several give a row. Method word `ensemble`.
// Use where it is not known what an anomaly looks like: detectors that see different things, few of which are wrong together. Not to make a
// bad detector good: it counts as much as the others.
//
// A member's rank of a row is the share of the fit's rows that score below it there, equal scores counting half, so between 0 and 1 whatever
// the member's scale; the score is the mean over the members, in the order given. New rows are ranked among the fit's. Members run with their
// default parameters.
//
// Determinism: that of its members. Aggarwal and Sathe 2017, doi:10.1007/978-3-319-54765-7.
#pragma once
#include <string>
#include <vector>

#include "sluice/core/outcome.h"
#include "sluice/core/params.h"

namespace sluice {

struct EnsembleParams {
  std::string methods = "isolation_forest,ecod,knn";

  template <class Visitor>
  void describe(Visitor&& v) {
    v(methods, "methods", Text{}, "Two or more detectors, separated by commas.");
  }
};

// The words that may stand in `methods`.
const std::vector<std::string>& ensemble_members();

// By name, for the registry. Cost: the members', one after the other; a new row costs its members' scores and O(log n) each. Memory: 8 n
// bytes a member beside the members' own models. Throws Error{kUsage} for a word that is no member, one that comes twice, or fewer than two.
Outcome ensemble_run(const Source& rows, const EnsembleParams& params, Context& ctx);
Outcome ensemble_apply(const ModelFile& file, const Source& rows, Context& ctx);

}  // namespace sluice
