// Apriori: frequent item sets length by length. Sets of k items that share all but the last are joined to candidates of k + 1, those with
// an infrequent subset are dropped, and one pass over the baskets counts the rest in a prefix tree.
// Use it where passes over baskets are what one wants to see, or to compare: eclat.h finds the same faster, and writes the same files.
//
// Pairs are counted item by item from the baskets that hold the first, which needs no candidates. Equal baskets are counted once.
// Agrawal and Srikant 1994, Fast algorithms for mining association rules.
#pragma once
#include "sluice/patterns/mining.h"

namespace sluice {

// Cost: for each length, the candidates each basket holds. Memory: 20 bytes a frequent set and 12 a candidate, 8 more a thread;
// Error{kMemory} when that is more than half of ctx.memory.
void apriori_search(const RankedBaskets& baskets, const SearchLimits& limits, ItemsetStore& store, Context& ctx);

Outcome apriori_run(const BasketSet& baskets, const MiningParams& params, Context& ctx);

}  // namespace sluice
