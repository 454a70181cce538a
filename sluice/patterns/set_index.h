// All found sets by number, shortest first, so that a set's subsets can be looked up: what rules and closed or maximal sets need.
#pragma once
#include <functional>
#include <span>
#include <vector>

#include "sluice/patterns/itemset_store.h"

namespace sluice {

// Sets of one length are consecutive, in the store's order; the supersets a set is the beginning of are consecutive as well. Sets of one
// item are numbered by their rank. 16 bytes a set.
struct SetIndex {
  std::vector<int64_t> level;                  // first set of k + 1 items; one more at the end
  std::vector<int32_t> rank;                   // the last item
  std::vector<uint32_t> parent, child, count;  // child: the first one; those of i end where those of i + 1 begin

  int64_t sets() const { return static_cast<int64_t>(rank.size()); }
  int64_t lengths() const { return static_cast<int64_t>(level.size()) - 1; }
  int64_t length(uint32_t set) const;
  uint32_t find(uint32_t set, int32_t last) const;  // the set with `last` behind; it must be there
};

// Bytes of the index, and of walking it by each_set with `per_subset` bytes of the caller's own for each item of each set of two lengths.
int64_t index_bytes(const std::vector<int64_t>& by_length, int64_t per_subset);

SetIndex index_sets(const ItemsetStore& store);

struct SetView {
  uint32_t set;
  std::span<const int32_t> ranks;     // ascending
  std::span<const uint32_t> subsets;  // [p]: without the item at place p; empty for sets of one item
};

// f(worker, set) for every set, length by length; the sets of one length in any order, by any thread. begin(k) before those of k items.
// Cost: k - 1 binary searches a set of k items. Memory: 4 bytes an item of the sets of two lengths.
void each_set(const SetIndex& index, Context& ctx, const std::function<void(int64_t length)>& begin,
              const std::function<void(int worker, const SetView& set)>& f);

}  // namespace sluice
