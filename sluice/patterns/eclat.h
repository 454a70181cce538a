// Eclat: frequent item sets depth-first, each with the list of baskets that hold it; the list of a larger set is the meeting of two.
// Use for most data: it is the fastest of the three miners here. Take fpgrowth.h for many long baskets that begin alike, apriori.h to count
// in passes over the baskets as the textbooks do. All three find the same and write the same files.
//
// The lists of the sets that share all but their last item are bit rows, basket numbers, or the numbers of the baskets that are missing
// (diffsets), whichever is least. Baskets are renumbered within those of a prefix as soon as it has lost half of them.
//
// Zaki 2000, doi:10.1109/69.846291; Zaki and Gouda 2003 (diffsets), doi:10.1145/956750.956788; Uno, Kiyomi and Arimura 2004 (delivery).
#pragma once
#include "sluice/patterns/mining.h"

namespace sluice {

// Cost: one list operation a set looked at. Memory: the baskets by item (4 bytes an item; dense data: a bit a basket and item), and for
// each thread the lists of one path. Threads take first items in turn; the order in the store is that of itemset_store.h.
void eclat_search(const RankedBaskets& baskets, const SearchLimits& limits, ItemsetStore& store, Context& ctx);

// How many sets there are, or any number above `most` if there are more. Items that are in every basket of a prefix double the count
// without being looked at, so that a support which would explode is known in little time.
int64_t eclat_count(const RankedBaskets& baskets, const SearchLimits& limits, int64_t most, Context& ctx);

Outcome eclat_run(const BasketSet& baskets, const MiningParams& params, Context& ctx);

}  // namespace sluice
