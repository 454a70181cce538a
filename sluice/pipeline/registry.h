// All algorithms by name, one row each. The command line, pipeline files, Python, the docs table, the laws, the determinism matrix and the
// tests of damaged models loop over it; none of them knows an algorithm otherwise.
#pragma once
#include <map>
#include <span>
#include <string>
#include <vector>

#include "sluice/core/baskets.h"
#include "sluice/core/outcome.h"
#include "sluice/core/params.h"

namespace sluice {

enum class Kind {
  kClusterer,
  kReducer,
  kMixture,    // labels and a density
  kNeighbors,  // rows to rows
  kDetector,   // scores; not a command of its own but a word for `anomaly --method`
  kMiner,      // of baskets, not rows of numbers
  kSelector,   // rows worth a label; `select` adds what labels make of them
};

using ParamTexts = std::map<std::string, std::string>;  // name (with underscores) -> value as written

struct Algorithm {
  const char* name;
  Kind kind;
  const char* summary;
  std::vector<ParamInfo> (*params)();
  std::map<std::string, std::string> (*resolve)(const ParamTexts& given);            // every parameter as JSON text
  Outcome (*run)(const Source& rows, const ParamTexts& given, Context& ctx);         // null for miners
  Outcome (*mine)(const BasketSet& baskets, const ParamTexts& given, Context& ctx);  // miners only
  Outcome (*apply)(const ModelFile& model, const Source& rows, Context& ctx);
  std::vector<std::string> result_keys;
};

std::span<const Algorithm> algorithms();
const Algorithm* find_algorithm(const std::string& name);  // null if there is none

template <class P>
P params_from(const ParamTexts& given) {
  P params;
  for (const auto& [name, text] : given) set_param(params, name, text);
  return params;
}

}  // namespace sluice
