#include "sluice/patterns/apriori.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "sluice/core/error.h"
#include "sluice/core/fold.h"

namespace sluice {
namespace {

// The sets of one length, in lexicographic order: set i ends in item[i]; those that begin with set j of the length before are
// first[j] .. first[j + 1] of the next level.
struct Level {
  std::vector<int32_t> item;
  std::vector<uint32_t> parent;
  std::vector<int64_t> count;
  std::vector<uint32_t> first;  // of the children, one more at the end; filled when the next level is there

  int64_t bytes() const { return static_cast<int64_t>(item.size()) * 20; }
};

// Baskets with how often each occurs.
struct Weighted {
  std::vector<int64_t> baskets;
  std::vector<int64_t> weight;
};

Weighted without_repeats(const RankedBaskets& all) {
  std::vector<int64_t> order(static_cast<size_t>(all.baskets()));
  std::iota(order.begin(), order.end(), int64_t{0});
  const auto compare = [&](int64_t a, int64_t b) {
    const auto x = all.basket(a), y = all.basket(b);
    return std::lexicographical_compare(x.begin(), x.end(), y.begin(), y.end());
  };
  std::sort(order.begin(), order.end(), compare);
  Weighted out;
  for (size_t i = 0; i < order.size(); ++i) {
    if (i > 0 && !compare(order[i - 1], order[i])) {
      ++out.weight.back();
    } else {
      out.baskets.push_back(order[i]);
      out.weight.push_back(1);
    }
  }
  return out;
}

void refuse_memory(int64_t bytes, const Context& ctx) {
  if (bytes <= ctx.memory / 2) return;
  fail(ErrorCode::kMemory, "--min-support", "apriori needs " + std::to_string((bytes >> 20) * 2) + " MiB for its sets and candidates",
       "raise it, use eclat, or give a larger --memory");
}

Level single_items(const RankedBaskets& baskets) {
  Level level;
  level.item.resize(static_cast<size_t>(baskets.items()));
  std::iota(level.item.begin(), level.item.end(), 0);
  level.parent.assign(level.item.size(), 0);
  level.count = baskets.support;
  return level;
}

Level pairs(const RankedBaskets& baskets, Level& singles, Context& ctx) {
  const BasketLists lists = basket_lists(baskets);
  const int64_t items = baskets.items();
  struct Pair {
    int32_t item;
    int64_t count;
  };
  std::vector<std::vector<Pair>> found(static_cast<size_t>(items));
  std::vector<std::vector<int64_t>> counts(static_cast<size_t>(worker_count(ctx)));
  for_each_leaf({1, items, 0, items, items}, ctx, [&](int worker, int64_t a) {
    std::vector<int64_t>& count = counts[static_cast<size_t>(worker)];
    count.assign(static_cast<size_t>(items), 0);
    for (int64_t i = lists.offsets[static_cast<size_t>(a)]; i < lists.offsets[static_cast<size_t>(a) + 1]; ++i) {
      const auto basket = baskets.basket(lists.rows[static_cast<size_t>(i)]);
      for (auto b = std::upper_bound(basket.begin(), basket.end(), static_cast<int32_t>(a)); b != basket.end(); ++b)
        ++count[static_cast<size_t>(*b)];
    }
    for (int64_t b = a + 1; b < items; ++b) {
      if (count[static_cast<size_t>(b)] >= baskets.min_count)
        found[static_cast<size_t>(a)].push_back({static_cast<int32_t>(b), count[static_cast<size_t>(b)]});
    }
  });
  Level level;
  for (size_t a = 0; a < found.size(); ++a) {
    singles.first.push_back(static_cast<uint32_t>(level.item.size()));
    for (const Pair& pair : found[a]) {
      level.item.push_back(pair.item);
      level.parent.push_back(static_cast<uint32_t>(a));
      level.count.push_back(pair.count);
    }
  }
  singles.first.push_back(static_cast<uint32_t>(level.item.size()));
  return level;
}

// Whether the set `ranks` is among the levels.
bool is_there(const std::vector<Level>& levels, std::span<const int32_t> ranks) {
  auto at = static_cast<uint32_t>(ranks[0]);
  for (size_t k = 1; k < ranks.size(); ++k) {
    const auto begin = levels[k].item.begin() + levels[k - 1].first[at], end = levels[k].item.begin() + levels[k - 1].first[at + 1];
    const auto found = std::lower_bound(begin, end, ranks[k]);
    if (found == end || *found != ranks[k]) return false;
    at = static_cast<uint32_t>(found - levels[k].item.begin());
  }
  return true;
}

// Joins the last level with itself and drops what has an infrequent subset; fills the last level's `first` by the candidates.
Level candidates(std::vector<Level>& levels, const Context& ctx) {
  Level& last = levels.back();
  const size_t k = levels.size();  // items of the sets of the last level
  Level next;
  std::array<int32_t, kMostDepth + 2> ranks{}, subset{};
  const int64_t held =
      std::accumulate(levels.begin(), levels.end(), int64_t{0}, [](int64_t sum, const Level& level) { return sum + level.bytes(); });
  for (size_t i = 0; i < last.item.size(); ++i) {
    last.first.push_back(static_cast<uint32_t>(next.item.size()));
    auto up = static_cast<uint32_t>(i);
    for (size_t p = k; p-- > 0; up = levels[p].parent[up]) ranks[p] = levels[p].item[up];
    for (size_t j = i + 1; j < last.item.size() && last.parent[j] == last.parent[i]; ++j) {
      ranks[k] = last.item[j];
      bool frequent = true;
      for (size_t drop = 0; drop + 2 < k + 1 && frequent; ++drop) {  // without one of the last two it is what was joined
        std::copy(ranks.begin(), ranks.begin() + static_cast<ptrdiff_t>(drop), subset.begin());
        std::copy(ranks.begin() + static_cast<ptrdiff_t>(drop) + 1, ranks.begin() + static_cast<ptrdiff_t>(k) + 1,
                  subset.begin() + static_cast<ptrdiff_t>(drop));
        frequent = is_there(levels, {subset.data(), k});
      }
      if (!frequent) continue;
      next.item.push_back(ranks[k]);
      next.parent.push_back(static_cast<uint32_t>(i));
      if ((next.item.size() & 4095) == 0)
        refuse_memory(held + next.bytes() * 2 + static_cast<int64_t>(next.item.size()) * 8 * ctx.threads, ctx);
    }
  }
  last.first.push_back(static_cast<uint32_t>(next.item.size()));
  return next;
}

// Adds a basket's weight to each candidate it holds: down the tree of levels, all of its sets at once.
class BasketCounter {
 public:
  BasketCounter(const std::vector<Level>& levels, const Level& candidates, std::span<const int32_t> basket, int64_t weight, int64_t* counts)
      : levels_(levels), candidates_(candidates), basket_(basket), weight_(weight), counts_(counts) {}

  void count() {
    for (size_t p = 0; p + levels_.size() < basket_.size(); ++p) descend(1, static_cast<uint32_t>(basket_[p]), p + 1);
  }

 private:
  // Children of set `at` of `length` items among basket_[from..]. As deep as the candidates are long.
  void descend(size_t length, uint32_t at, size_t from) {
    const bool leaf = length == levels_.size();
    const std::vector<int32_t>& items = leaf ? candidates_.item : levels_[length].item;
    uint32_t child = levels_[length - 1].first[at];
    const uint32_t end = levels_[length - 1].first[at + 1];
    // A child needs as many items after it as candidates are longer.
    const size_t last = basket_.size() - (levels_.size() - length);
    for (size_t p = from; child < end && p < last;) {
      if (items[child] < basket_[p]) {
        ++child;
      } else if (items[child] > basket_[p]) {
        ++p;
      } else {
        if (leaf) {
          counts_[child] += weight_;
        } else {
          descend(length + 1, child, p + 1);
        }
        ++child;
        ++p;
      }
    }
  }

  const std::vector<Level>& levels_;
  const Level& candidates_;
  std::span<const int32_t> basket_;
  int64_t weight_;
  int64_t* counts_;
};

void count_candidates(const RankedBaskets& baskets, const Weighted& distinct, const std::vector<Level>& levels, Level& next, Context& ctx) {
  constexpr int64_t kStep = 256;
  const auto total = static_cast<int64_t>(distinct.baskets.size());
  const int64_t steps = (total + kStep - 1) / kStep;
  std::vector<std::vector<int64_t>> counts(static_cast<size_t>(worker_count(ctx)));
  for_each_leaf({kStep, steps, 0, steps, total}, ctx, [&](int worker, int64_t step) {
    std::vector<int64_t>& mine = counts[static_cast<size_t>(worker)];
    if (mine.empty()) mine.assign(next.item.size(), 0);
    for (auto i = static_cast<size_t>(step * kStep); i < static_cast<size_t>(std::min(total, (step + 1) * kStep)); ++i)
      BasketCounter(levels, next, baskets.basket(distinct.baskets[i]), distinct.weight[i], mine.data()).count();
  });
  next.count.assign(next.item.size(), 0);
  for (const std::vector<int64_t>& part : counts) {
    for (size_t c = 0; c < part.size(); ++c) next.count[c] += part[c];
  }
}

// Candidates that are frequent, with the last level's children renumbered.
void keep_frequent(Level& last, Level& next, int64_t min_count) {
  size_t to = 0, from = 0;
  for (size_t i = 0; i + 1 < last.first.size(); ++i) {
    const size_t end = last.first[i + 1];
    last.first[i] = static_cast<uint32_t>(to);
    for (; from < end; ++from) {
      if (next.count[from] < min_count) continue;
      next.item[to] = next.item[from];
      next.parent[to] = next.parent[from];
      next.count[to++] = next.count[from];
    }
  }
  last.first.back() = static_cast<uint32_t>(to);
  next.item.resize(to);
  next.parent.resize(to);
  next.count.resize(to);
}

void put_set(const std::vector<Level>& levels, size_t length, uint32_t at, ItemsetStore::Writer& out) {
  const Level& level = levels[length - 1];
  out.put(static_cast<int>(length), level.item[at], level.count[at]);
  if (length == levels.size()) return;
  for (uint32_t child = level.first[at]; child < level.first[at + 1]; ++child) put_set(levels, length + 1, child, out);
}

}  // namespace

void apriori_search(const RankedBaskets& baskets, const SearchLimits& limits, ItemsetStore& store, Context& ctx) {
  std::vector<Level> levels{single_items(baskets)};
  const Weighted distinct = without_repeats(baskets);
  int64_t sets = baskets.items();
  while (static_cast<int64_t>(levels.size()) < limits.max_length && !levels.back().item.empty()) {
    if (levels.size() == 1) {
      levels.push_back(pairs(baskets, levels[0], ctx));
    } else {
      Level next = candidates(levels, ctx);
      count_candidates(baskets, distinct, levels, next, ctx);
      keep_frequent(levels.back(), next, baskets.min_count);
      levels.push_back(std::move(next));
    }
    sets += static_cast<int64_t>(levels.back().item.size());
    if (sets > store.most() || levels.size() > static_cast<size_t>(kMostDepth) + 1) break;  // the store will be full
  }
  if (levels.size() > 1 && levels.back().item.empty()) levels.pop_back();
  for (int64_t root = 0; root < baskets.items() && !store.full(); ++root) {
    ItemsetStore::Writer out(store, root);
    put_set(levels, 1, static_cast<uint32_t>(root), out);
    out.end();
  }
}

Outcome apriori_run(const BasketSet& baskets, const MiningParams& params, Context& ctx) {
  return mine_with(apriori_search, true, baskets, params, ctx);
}

}  // namespace sluice
