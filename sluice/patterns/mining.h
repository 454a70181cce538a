// What the miners of item sets share: their parameters, and the way from found sets to files, rules and tables.
// A miner is a search over ranked baskets (ranked.h) that writes what it finds into a store (itemset_store.h); everything else is here, so
// that apriori, eclat and fpgrowth differ in speed and memory alone and their files are the same, byte for byte.
#pragma once
#include <string>

#include "sluice/core/baskets.h"
#include "sluice/core/outcome.h"
#include "sluice/patterns/itemset_store.h"
#include "sluice/patterns/ranked.h"
#include "sluice/patterns/support.h"

namespace sluice {

enum class ItemsetTarget { kFrequent, kClosed, kMaximal };

struct MiningParams {
  Support min_support;
  ItemsetTarget target = ItemsetTarget::kFrequent;
  int64_t min_length = 1;
  std::optional<int64_t> max_length;
  bool rules = false;
  double min_confidence = 0.8;
  bool all_rules = false;
  std::string consequent;

  template <class Visitor>
  void describe(Visitor&& v) {
    v(min_support, "min_support", ShareOrCount{}, "Least support: a share of the baskets (with a point, as 0.01) or a count of them.");
    v(target, "target",
      Choices<ItemsetTarget>{
          {{"frequent", ItemsetTarget::kFrequent}, {"closed", ItemsetTarget::kClosed}, {"maximal", ItemsetTarget::kMaximal}}},
      "Sets to list: all frequent ones, those without a larger set of equal support, or those without a larger frequent set.");
    v(min_length, "min_length", Range<int64_t>{1, 1'000'000}, "Fewest items of a listed set, and of a rule with its conclusion.");
    v(max_length, "max_length", Range<int64_t>{1, 1'000'000}, "Most items of a set; auto: no limit.");
    v(rules, "rules", Flag{}, "Derive association rules as well.");
    v(min_confidence, "min_confidence", Range<double>{0, 1}, "Least confidence of a rule.");
    v(all_rules, "all_rules", Flag{}, "Every rule above the confidence, not the 1,000 best without redundant ones; implies rules.");
    v(consequent, "consequent", Text{},
      "Only rules that conclude one of these, separated by commas: items by number or name, or columns of a table.");
  }
};

// Where a search ends: sets above `max_length` items are not looked for.
struct SearchLimits {
  int64_t max_length = int64_t{1} << 40;
};

// Finds every set of at most max_length items that min_count baskets hold, and puts them into `store` in its order. Stops early when the
// store is full. Uses ctx.threads; sees one rank.
using ItemsetSearch = void (*)(const RankedBaskets& baskets, const SearchLimits& limits, ItemsetStore& store, Context& ctx);

// Runs the search and makes of it itemsets.csv, rules.csv, tables, figures and the keys of the result. Replicated: every rank that calls
// it computes all. Memory: the store (itemset_store.h) and, for rules and for closed or maximal sets, the index (set_index.h).
// Throws Error{kMemory}, naming --min-support, when there are more sets than kMostItemsets, than a quarter of ctx.memory has bytes, or than
// the disk holds as text: counted beforehand (eclat_count), before anything is written.
// `count_first`: the search is dear where there are many sets, so they are counted before it begins.
Outcome mine_with(ItemsetSearch search, bool count_first, const BasketSet& baskets, const MiningParams& params, Context& ctx);

}  // namespace sluice
