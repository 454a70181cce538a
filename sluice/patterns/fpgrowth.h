// FP-growth: frequent item sets from a prefix tree of the baskets (FP-tree) and, item by item, the trees of the baskets that hold it.
// Use for many long baskets that begin alike, which the tree folds into one path each; eclat.h is faster on most data. Finds the same and
// writes the same files.
//
// The tree lies in arrays: four numbers a node, no pointers. Recursion is as deep as the longest frequent set, at most kMostDepth.
// Han, Pei and Yin 2000, doi:10.1145/342009.335372.
#pragma once
#include "sluice/patterns/mining.h"

namespace sluice {

// Cost: for each set the paths of its tree. Memory: 16 bytes a node and at most a node for each item of the baskets, and per thread the
// trees of one path of sets; Error{kMemory} before the tree of all baskets is made where that is over a quarter of ctx.memory.
void fpgrowth_search(const RankedBaskets& baskets, const SearchLimits& limits, ItemsetStore& store, Context& ctx);

Outcome fpgrowth_run(const BasketSet& baskets, const MiningParams& params, Context& ctx);

}  // namespace sluice
