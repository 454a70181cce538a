// Association rules from frequent sets: if a basket holds all of these, it holds that one too. Consequents have one item.
//
// Measures, with n baskets and counts c: support c(AB)/n, confidence c(AB)/c(A), lift confidence n/c(B), leverage
// support - c(A)c(B)/n^2, conviction (1 - c(B)/n) / (1 - confidence) (infinite at confidence 1), Zhang's from -1 to 1, Fisher's exact p and
// the false-discovery rate (fisher.h). A rule is redundant when a smaller antecedent, not empty, concludes the same at no less confidence.
//
// Agrawal, Imielinski and Swami 1993, doi:10.1145/170035.170072; Brin et al. 1997, doi:10.1145/253260.253325; Zhang 2000.
#pragma once
#include <cstdint>
#include <vector>

#include "sluice/patterns/set_index.h"

namespace sluice {

struct RuleOptions {
  double min_confidence = 0.8;
  bool all = false;                                       // else the best kBestRules that are not redundant
  int64_t min_length = 1, max_length = int64_t{1} << 40;  // items of antecedent and consequent together
  std::vector<uint8_t> consequent;                        // by rank: may be concluded; empty: all may
};

constexpr int64_t kBestRules = 1000;

struct Rule {
  uint32_t set = 0, antecedent = 0;  // of the index
  int32_t consequent = 0;            // rank
  double lift = 0, fisher_p = 1, fdr = 1;
};

struct RuleList {
  std::vector<Rule> rules;  // best lift first; of equals the more confident, the shorter, the more frequent, the first set
  int64_t tested = 0;       // pairs of a frequent set and one of its items, which the false-discovery rate counts
  int64_t above = 0;        // rules above the confidence, redundant ones too
};

// Cost: one walk over the index, Fisher's test for each rule that counts, and sorting. Memory: 12 bytes for each item of the sets of two
// lengths and 32 a rule; Error{kMemory} when the rules take more than a quarter of ctx.memory.
RuleList find_rules(const SetIndex& index, int64_t baskets, const RuleOptions& options, Context& ctx);

struct RuleMeasures {
  int64_t count = 0;
  double support = 0, confidence = 0, coverage = 0, leverage = 0, conviction = 0, zhang = 0;
};
RuleMeasures measures_of(const Rule& rule, const SetIndex& index, int64_t baskets);

}  // namespace sluice
