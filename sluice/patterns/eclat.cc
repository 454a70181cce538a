#include "sluice/patterns/eclat.h"

#include <algorithm>
#include <atomic>
#include <memory>

#include "sluice/core/fold.h"
#include "sluice/patterns/tid_class.h"

namespace sluice {
namespace {

// The classes of first items: made once for all where the data is dense, else item by item from its baskets (occurrence delivery).
class Roots {
 public:
  Roots(const RankedBaskets& baskets, const Context& ctx) : baskets_(baskets) {
    const auto items = static_cast<int64_t>(baskets.items());
    const int64_t cells = items * baskets.baskets();
    // Delivery looks at half of a basket's items for each of them, the bit rows at all pairs of items.
    dense_ = static_cast<int64_t>(baskets.ranks.size()) * 8 > cells && cells / 8 <= ctx.memory / 4;
    if (!dense_) {
      lists_ = basket_lists(baskets);
      return;
    }
    all_.universe = baskets.baskets();
    all_.bits.assign(static_cast<size_t>(all_.words() * items), 0);
    for (int64_t i = 0; i < baskets.baskets(); ++i) {
      for (const int32_t r : baskets.basket(i)) all_.bits[static_cast<size_t>(r * all_.words() + i / 64)] |= uint64_t{1} << (i % 64);
    }
    for (int32_t r = 0; r < baskets.items(); ++r)
      all_.members.push_back({r, baskets.support[static_cast<size_t>(r)], all_.bits.data() + r * all_.words(), nullptr, 0});
  }

  struct Scratch {
    std::vector<int64_t> count;  // by rank, zero between calls
    std::vector<int32_t> seen;
  };

  // The extensions of {root}.
  void extensions(int32_t root, TidClass& child, Scratch& scratch) const {
    if (dense_) return extend_class(all_, static_cast<size_t>(root), baskets_.min_count, child);
    child.members.clear();
    scratch.count.resize(static_cast<size_t>(baskets_.items()));
    const int64_t universe = baskets_.support[static_cast<size_t>(root)];
    each_after(root, [&](int64_t, int32_t r) {
      if (scratch.count[static_cast<size_t>(r)]++ == 0) scratch.seen.push_back(r);
    });
    std::sort(scratch.seen.begin(), scratch.seen.end());
    int64_t total = 0;
    for (const int32_t r : scratch.seen) {
      const int64_t support = scratch.count[static_cast<size_t>(r)];
      scratch.count[static_cast<size_t>(r)] = -1;
      if (support < baskets_.min_count) continue;
      scratch.count[static_cast<size_t>(r)] = static_cast<int64_t>(child.members.size());  // from here on its place
      child.members.push_back({r, support, nullptr, nullptr, 0});
      total += support;
    }
    child.universe = universe;
    child.kind = sparse_lists(total, static_cast<int64_t>(child.members.size()), universe) ? TidKind::kTids : TidKind::kBits;
    if (!child.members.empty()) deliver(root, total, child, scratch.count);
    for (const int32_t r : scratch.seen) scratch.count[static_cast<size_t>(r)] = 0;
    scratch.seen.clear();
  }

 private:
  template <class F>
  void each_after(int32_t root, const F& f) const {
    const auto first = static_cast<size_t>(lists_.offsets[static_cast<size_t>(root)]);
    const auto last = static_cast<size_t>(lists_.offsets[static_cast<size_t>(root) + 1]);
    for (size_t i = first; i < last; ++i) {
      const auto basket = baskets_.basket(lists_.rows[i]);
      for (auto at = std::upper_bound(basket.begin(), basket.end(), root); at != basket.end(); ++at)
        f(static_cast<int64_t>(i - first), *at);
    }
  }

  void deliver(int32_t root, int64_t total, TidClass& child, const std::vector<int64_t>& place) const {
    if (child.kind == TidKind::kBits) {
      const int64_t words = child.words();
      child.bits.assign(static_cast<size_t>(words) * child.members.size(), 0);
      for (size_t m = 0; m < child.members.size(); ++m) child.members[m].bits = child.bits.data() + static_cast<int64_t>(m) * words;
      each_after(root, [&](int64_t i, int32_t r) {
        const int64_t at = place[static_cast<size_t>(r)];
        if (at >= 0) child.bits[static_cast<size_t>(at * words + i / 64)] |= uint64_t{1} << (i % 64);
      });
      return;
    }
    child.lists.resize(static_cast<size_t>(total));
    uint32_t* to = child.lists.data();
    for (TidMember& member : child.members) {
      member.list = to;
      to += member.support;
    }
    each_after(root, [&](int64_t i, int32_t r) {
      const int64_t at = place[static_cast<size_t>(r)];
      if (at < 0) return;
      TidMember& member = child.members[static_cast<size_t>(at)];
      child.lists[static_cast<size_t>(member.list - child.lists.data() + member.size++)] = static_cast<uint32_t>(i);
    });
  }

  const RankedBaskets& baskets_;
  bool dense_ = false;
  TidClass all_;
  BasketLists lists_;
};

// One thread's classes, one for each length of the prefix.
struct Path {
  std::vector<TidClass> levels = std::vector<TidClass>(kMostDepth + 2);
  Roots::Scratch scratch;
};

// Recursion is at most kMostDepth deep: the store is full then.
class Lister {
 public:
  Lister(Path& path, int64_t min_count, int64_t max_length, ItemsetStore::Writer& out)
      : path_(path), min_count_(min_count), max_length_(max_length), out_(out) {}

  // Members from `first` on, as the items at place `depth` of sets; `support` is the prefix's.
  void expand(const TidClass& of, size_t first, int64_t support, int depth) {
    for (size_t a = first; a < of.members.size() && !out_.full(); ++a) {
      const TidMember& member = of.members[a];
      out_.put(depth, member.rank, member.support);
      if (depth == max_length_ || a + 1 == of.members.size() || out_.full()) continue;
      if (member.support == support) {  // in every basket of the prefix: the members after it keep their lists
        expand(of, a + 1, support, depth + 1);
        continue;
      }
      TidClass& child = path_.levels[static_cast<size_t>(depth)];
      extend_class(of, a, min_count_, child);
      expand(child, 0, member.support, depth + 1);
    }
  }

 private:
  Path& path_;
  int64_t min_count_, max_length_;
  ItemsetStore::Writer& out_;
};

// Sets of a prefix of `depth` items and any of `free` others, at most max_length in all; above `most`: some number above it.
double sets_of(int64_t depth, int64_t free, int64_t max_length, double most) {
  double sum = 0, binomial = 1;
  for (int64_t j = 0; j <= free && depth + j <= max_length && sum <= most; ++j) {
    sum += binomial;
    binomial = binomial * static_cast<double>(free - j) / static_cast<double>(j + 1);
  }
  return sum;
}

class Counter {
 public:
  Counter(Path& path, int64_t min_count, int64_t max_length, std::atomic<double>& total, double most, const Context& ctx)
      : path_(path), min_count_(min_count), max_length_(max_length), total_(total), most_(most), ctx_(ctx) {}

  // `of` holds the extensions of a prefix of `depth` items, besides `free` items that are in all its baskets.
  void expand(TidClass& of, int64_t support, int depth, int64_t free) {
    const auto all = of.members.size();
    std::erase_if(of.members, [&](const TidMember& member) { return member.support == support; });
    free += static_cast<int64_t>(all - of.members.size());
    add(sets_of(depth, free, max_length_, most_));
    if (depth >= max_length_) return;
    if (depth > kMostDepth) return add(2 * most_);  // it has 2^depth subsets
    for (size_t a = 0; a < of.members.size() && total_.load(std::memory_order_relaxed) <= most_; ++a) {
      TidClass& child = path_.levels[static_cast<size_t>(depth)];
      extend_class(of, a, min_count_, child);
      expand(child, of.members[a].support, depth + 1, free);
    }
  }

 private:
  void add(double sets) {
    double now = total_.load(std::memory_order_relaxed);
    while (!total_.compare_exchange_weak(now, now + sets, std::memory_order_relaxed)) {
    }
    if ((++nodes_ & 4095) == 0 && ctx_.stopped())
      fail(ErrorCode::kInterrupted, "run", "stopped on request", "run the same command again to go on");
  }

  Path& path_;
  int64_t min_count_, max_length_;
  std::atomic<double>& total_;
  double most_;
  const Context& ctx_;
  int64_t nodes_ = 0;
};

}  // namespace

void eclat_search(const RankedBaskets& baskets, const SearchLimits& limits, ItemsetStore& store, Context& ctx) {
  const Roots roots(baskets, ctx);
  std::vector<Path> paths(static_cast<size_t>(worker_count(ctx)));
  const int64_t items = baskets.items();
  for_each_leaf({1, items, 0, items, items}, ctx, [&](int worker, int64_t root) {
    if (store.full()) return;
    Path& path = paths[static_cast<size_t>(worker)];
    ItemsetStore::Writer out(store, root);
    const int64_t support = baskets.support[static_cast<size_t>(root)];
    out.put(1, static_cast<int32_t>(root), support);
    if (limits.max_length > 1) {
      TidClass& first = path.levels[0];
      roots.extensions(static_cast<int32_t>(root), first, path.scratch);
      Lister(path, baskets.min_count, limits.max_length, out).expand(first, 0, support, 2);
    }
    out.end();
  });
}

int64_t eclat_count(const RankedBaskets& baskets, const SearchLimits& limits, int64_t most, Context& ctx) {
  const Roots roots(baskets, ctx);
  std::vector<Path> paths(static_cast<size_t>(worker_count(ctx)));
  std::atomic<double> total{0};
  const int64_t items = baskets.items();
  const auto limit = static_cast<double>(most);
  for_each_leaf({1, items, 0, items, items}, ctx, [&](int worker, int64_t root) {
    if (total.load(std::memory_order_relaxed) > limit) return;
    Path& path = paths[static_cast<size_t>(worker)];
    TidClass& first = path.levels[0];
    roots.extensions(static_cast<int32_t>(root), first, path.scratch);
    Counter(path, baskets.min_count, limits.max_length, total, limit, ctx).expand(first, baskets.support[static_cast<size_t>(root)], 1, 0);
  });
  return static_cast<int64_t>(std::min(total.load(), limit + 1));
}

Outcome eclat_run(const BasketSet& baskets, const MiningParams& params, Context& ctx) {
  return mine_with(eclat_search, false, baskets, params, ctx);
}

}  // namespace sluice
