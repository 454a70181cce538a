#include "sluice/patterns/ranked.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "sluice/core/error.h"

namespace sluice {

RankedBaskets rank_items(const BasketSet& baskets, int64_t min_count, const Context& ctx) {
  if (baskets.rows() >= std::numeric_limits<uint32_t>::max())
    fail(ErrorCode::kBadInput, "baskets", "there are more than 4,294,967,294 of them", "mine a sample");
  const int64_t bytes = static_cast<int64_t>(baskets.items.size()) * 4 + baskets.rows() * 8;
  if (bytes > ctx.memory / 4)
    fail(ErrorCode::kMemory, "baskets", "the search needs " + std::to_string((bytes >> 20) * 4) + " MiB for them",
         "give a larger --memory, or mine a sample");
  std::vector<int64_t> count(static_cast<size_t>(baskets.n_items()));
  for (const int32_t item : baskets.items) ++count[static_cast<size_t>(item)];
  RankedBaskets out;
  out.rows = baskets.rows();
  out.min_count = min_count;
  for (size_t item = 0; item < count.size(); ++item) {
    if (count[item] >= min_count) out.item_of_rank.push_back(static_cast<int32_t>(item));
  }
  std::stable_sort(out.item_of_rank.begin(), out.item_of_rank.end(),
                   [&](int32_t a, int32_t b) { return count[static_cast<size_t>(a)] < count[static_cast<size_t>(b)]; });
  std::vector<int32_t> rank_of(count.size(), -1);
  for (size_t r = 0; r < out.item_of_rank.size(); ++r) {
    rank_of[static_cast<size_t>(out.item_of_rank[r])] = static_cast<int32_t>(r);
    out.support.push_back(count[static_cast<size_t>(out.item_of_rank[r])]);
  }
  out.ranks.reserve(static_cast<size_t>(std::accumulate(out.support.begin(), out.support.end(), int64_t{0})));
  for (int64_t i = 0; i < baskets.rows(); ++i) {
    const size_t first = out.ranks.size();
    for (const int32_t item : baskets.basket(i)) {
      if (rank_of[static_cast<size_t>(item)] >= 0) out.ranks.push_back(rank_of[static_cast<size_t>(item)]);
    }
    if (out.ranks.size() == first) continue;
    std::sort(out.ranks.begin() + static_cast<ptrdiff_t>(first), out.ranks.end());
    out.offsets.push_back(static_cast<int64_t>(out.ranks.size()));
  }
  return out;
}

BasketLists basket_lists(const RankedBaskets& baskets) {
  BasketLists lists;
  lists.offsets.assign(1, 0);
  for (const int64_t support : baskets.support) lists.offsets.push_back(lists.offsets.back() + support);
  lists.rows.resize(static_cast<size_t>(lists.offsets.back()));
  std::vector<int64_t> at(lists.offsets.begin(), lists.offsets.end() - 1);
  for (int64_t i = 0; i < baskets.baskets(); ++i) {
    for (const int32_t r : baskets.basket(i)) lists.rows[static_cast<size_t>(at[static_cast<size_t>(r)]++)] = static_cast<uint32_t>(i);
  }
  return lists;
}

}  // namespace sluice
