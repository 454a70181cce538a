#include "sluice/patterns/set_index.h"

#include <algorithm>
#include <array>

#include "sluice/core/fold.h"

namespace sluice {

int64_t SetIndex::length(uint32_t set) const {
  return std::upper_bound(level.begin(), level.end(), static_cast<int64_t>(set)) - level.begin();
}

uint32_t SetIndex::find(uint32_t set, int32_t last) const {
  const auto begin = rank.begin() + child[set], end = rank.begin() + child[set + 1];
  return static_cast<uint32_t>(std::lower_bound(begin, end, last) - rank.begin());
}

int64_t index_bytes(const std::vector<int64_t>& by_length, int64_t per_subset) {
  int64_t sets = 0, widest = 0, before = 0;
  for (size_t k = 0; k < by_length.size(); ++k) {
    sets += by_length[k];
    const int64_t items = by_length[k] * static_cast<int64_t>(k + 1);
    widest = std::max(widest, items + before);
    before = items;
  }
  return sets * 16 + widest * (4 + per_subset);
}

SetIndex index_sets(const ItemsetStore& store) {
  SetIndex index;
  index.level.assign(1, 0);
  for (const int64_t sets : store.by_length()) index.level.push_back(index.level.back() + sets);
  const auto all = static_cast<size_t>(index.level.back());
  index.rank.resize(all);
  index.parent.resize(all);
  index.count.resize(all);
  index.child.resize(all + 1);
  index.child[all] = static_cast<uint32_t>(all);
  std::vector<int64_t> next = index.level;
  next.push_back(static_cast<int64_t>(all));
  std::array<uint32_t, kMostDepth + 1> path{};
  store.each([&](std::span<const int32_t> ranks, int64_t count) {
    const size_t depth = ranks.size();
    const auto at = static_cast<size_t>(next[depth - 1]++);
    index.rank[at] = ranks.back();
    index.count[at] = static_cast<uint32_t>(count);
    index.parent[at] = path[depth - 1];
    index.child[at] = static_cast<uint32_t>(next[depth]);
    path[depth] = static_cast<uint32_t>(at);
  });
  return index;
}

void each_set(const SetIndex& index, Context& ctx, const std::function<void(int64_t)>& begin,
              const std::function<void(int, const SetView&)>& f) {
  constexpr int64_t kStep = 4096;
  std::vector<uint32_t> subsets, before;
  for (int64_t k = 1; k <= index.lengths(); ++k) {
    begin(k);
    const int64_t first = index.level[static_cast<size_t>(k) - 1], last = index.level[static_cast<size_t>(k)];
    const int64_t first_before = k > 1 ? index.level[static_cast<size_t>(k) - 2] : 0;
    std::swap(subsets, before);
    subsets.resize(static_cast<size_t>(k > 1 ? (last - first) * k : 0));
    const int64_t steps = (last - first + kStep - 1) / kStep;
    for_each_leaf({1, steps, 0, steps, steps}, ctx, [&](int worker, int64_t step) {
      std::array<int32_t, kMostDepth> ranks{};
      for (int64_t set = first + step * kStep; set < std::min(last, first + (step + 1) * kStep); ++set) {
        auto up = static_cast<uint32_t>(set);
        for (int64_t p = k; p-- > 0; up = index.parent[up]) ranks[static_cast<size_t>(p)] = index.rank[up];
        uint32_t* mine = subsets.data() + (k > 1 ? (set - first) * k : 0);
        const uint32_t parent = index.parent[static_cast<size_t>(set)];
        if (k == 2) mine[0] = static_cast<uint32_t>(ranks[1]);
        for (int64_t p = 0; k > 2 && p < k - 1; ++p) {
          mine[p] = index.find(before[static_cast<size_t>((parent - first_before) * (k - 1) + p)], ranks[static_cast<size_t>(k) - 1]);
        }
        if (k > 1) mine[k - 1] = parent;
        f(worker, {static_cast<uint32_t>(set), {ranks.data(), static_cast<size_t>(k)}, {mine, static_cast<size_t>(k > 1 ? k : 0)}});
      }
    });
  }
}

}  // namespace sluice
