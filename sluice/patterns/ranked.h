// Baskets as miners want them: frequent items only, renamed by rank, the rarest first.
//
// The order of all output follows from it: sets are sequences of ascending ranks, in lexicographic order. Each of the searches can walk in
// that order, so none has to sort.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "sluice/core/baskets.h"
#include "sluice/core/context.h"

namespace sluice {

struct RankedBaskets {
  int64_t rows = 0;  // of all baskets, empty ones too
  int64_t min_count = 1;
  std::vector<int32_t> item_of_rank;  // ascending by support, ties by item
  std::vector<int64_t> support;       // by rank
  std::vector<int64_t> offsets{0};    // of the baskets that hold a frequent item
  std::vector<int32_t> ranks;         // ascending within a basket

  int32_t items() const { return static_cast<int32_t>(item_of_rank.size()); }
  int64_t baskets() const { return static_cast<int64_t>(offsets.size()) - 1; }
  std::span<const int32_t> basket(int64_t i) const {
    const auto first = static_cast<size_t>(offsets[static_cast<size_t>(i)]),
               last = static_cast<size_t>(offsets[static_cast<size_t>(i) + 1]);
    return {ranks.data() + first, last - first};
  }
};

// Cost O(items of all baskets). Memory: 4 bytes an item and 8 a basket again. Throws Error{kMemory} when that is more than a quarter of
// ctx.memory, Error{kBadInput} from 2^32 - 1 baskets on.
RankedBaskets rank_items(const BasketSet& baskets, int64_t min_count, const Context& ctx);

// For every rank the baskets that hold it, ascending: baskets_of(r) = rows[offsets[r] .. offsets[r + 1]).
struct BasketLists {
  std::vector<int64_t> offsets;
  std::vector<uint32_t> rows;
};
BasketLists basket_lists(const RankedBaskets& baskets);

}  // namespace sluice
