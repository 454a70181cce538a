#include "sluice/patterns/fpgrowth.h"

#include <algorithm>
#include <numeric>

#include "sluice/core/error.h"
#include "sluice/core/fold.h"

namespace sluice {
namespace {

// A prefix tree: from the root down ranks fall, so that the rarest items are leaves. Nodes of one item are chained.
struct Tree {
  struct Node {
    int32_t item;  // place in `items`
    uint32_t parent, next;
    uint32_t count;
  };
  static constexpr uint32_t kNone = 0;  // node 0 is the root
  std::vector<Node> nodes;
  std::vector<int32_t> items;    // ranks, ascending
  std::vector<int64_t> support;  // of each
  std::vector<uint32_t> chain;   // first node of each

  void begin() {
    nodes.assign(1, {-1, kNone, kNone, 0});
    chain.assign(items.size(), kNone);
  }
  uint32_t add(uint32_t parent, int32_t item) {
    const auto at = static_cast<uint32_t>(nodes.size());
    nodes.push_back({item, parent, chain[static_cast<size_t>(item)], 0});
    chain[static_cast<size_t>(item)] = at;
    return at;
  }
};

// Children by (parent, item) while a tree is built: open addressing.
class Children {
 public:
  void begin(size_t most) {
    size_t size = 64;
    while (size < 2 * most) size *= 2;
    keys_.assign(size, 0);
    values_.resize(size);
  }
  // The child, or a reference to 0 where it goes.
  uint32_t& at(uint32_t parent, int32_t item) {
    const uint64_t key = (uint64_t{parent} << 32 | static_cast<uint32_t>(item)) + 1;
    size_t place = static_cast<size_t>((key * 0x9E3779B97F4A7C15ULL) >> 20) & (keys_.size() - 1);
    while (keys_[place] != 0 && keys_[place] != key) place = (place + 1) & (keys_.size() - 1);
    if (keys_[place] == 0) {
      keys_[place] = key;
      values_[place] = 0;
    }
    return values_[place];
  }

 private:
  std::vector<uint64_t> keys_;
  std::vector<uint32_t> values_;
};

// Baskets, each from its last item, in lexicographic order: neighbours share the longest paths, and a tree is built by comparing them.
Tree tree_of_all(const RankedBaskets& baskets, const Context& ctx) {
  const int64_t bytes = static_cast<int64_t>(baskets.ranks.size()) * 16 + baskets.baskets() * 8;
  if (bytes > ctx.memory / 4 || baskets.ranks.size() >= uint32_t{0xffffffff})
    fail(ErrorCode::kMemory, "FP-tree", "it may need " + std::to_string(bytes >> 20) + " MiB, over a quarter of the memory budget",
         "use eclat, raise --min-support, or give a larger --memory");
  std::vector<int64_t> order(static_cast<size_t>(baskets.baskets()));
  std::iota(order.begin(), order.end(), int64_t{0});
  std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    const auto x = baskets.basket(a), y = baskets.basket(b);
    return std::lexicographical_compare(x.rbegin(), x.rend(), y.rbegin(), y.rend());
  });
  Tree tree;
  tree.items.resize(static_cast<size_t>(baskets.items()));
  std::iota(tree.items.begin(), tree.items.end(), 0);
  tree.support = baskets.support;
  tree.begin();
  std::vector<uint32_t> path;  // nodes of the basket before
  std::span<const int32_t> before;
  for (const int64_t i : order) {
    const auto basket = baskets.basket(i);
    size_t same = 0;
    while (same < before.size() && same < basket.size() && before[before.size() - 1 - same] == basket[basket.size() - 1 - same]) ++same;
    path.resize(same);
    for (size_t p = same; p < basket.size(); ++p)
      path.push_back(tree.add(p == 0 ? Tree::kNone : path.back(), basket[basket.size() - 1 - p]));
    for (const uint32_t node : path) ++tree.nodes[node].count;
    before = basket;
  }
  return tree;
}

class Grower {
 public:
  Grower(int64_t min_count, int64_t max_length, ItemsetStore::Writer& out, std::vector<Tree>& trees, std::vector<Children>& children,
         std::vector<int64_t>& sums)
      : min_count_(min_count), max_length_(max_length), out_(out), trees_(trees), children_(children), sums_(sums) {}

  // Sets whose item at place `depth` is items[at] of the tree, the one before it being given.
  void grow(const Tree& tree, size_t at, int depth) {
    out_.put(depth, tree.items[at], tree.support[at]);
    if (depth == max_length_ || out_.full()) return;
    Tree& next = trees_[static_cast<size_t>(depth)];
    if (!project(tree, at, next, children_[static_cast<size_t>(depth)])) return;
    for (size_t i = 0; i < next.items.size() && !out_.full(); ++i) grow(next, i, depth + 1);
  }

 private:
  // The tree of what stands above items[at]; false if nothing in it is frequent.
  bool project(const Tree& tree, size_t at, Tree& next, Children& children) {
    sums_.assign(tree.items.size(), 0);
    size_t steps = 0;
    for (uint32_t leaf = tree.chain[at]; leaf != Tree::kNone; leaf = tree.nodes[leaf].next) {
      for (uint32_t up = tree.nodes[leaf].parent; up != Tree::kNone; up = tree.nodes[up].parent) {
        sums_[static_cast<size_t>(tree.nodes[up].item)] += tree.nodes[leaf].count;
        ++steps;
      }
    }
    next.items.clear();
    next.support.clear();
    place_.assign(tree.items.size(), -1);
    for (size_t i = at + 1; i < sums_.size(); ++i) {
      if (sums_[i] < min_count_) continue;
      place_[i] = static_cast<int32_t>(next.items.size());
      next.items.push_back(tree.items[i]);
      next.support.push_back(sums_[i]);
    }
    if (next.items.empty()) return false;
    next.begin();
    if (next.items.size() == 1) return true;  // no set beyond it, so no tree
    children.begin(steps);
    for (uint32_t leaf = tree.chain[at]; leaf != Tree::kNone; leaf = tree.nodes[leaf].next) {
      path_.clear();
      for (uint32_t up = tree.nodes[leaf].parent; up != Tree::kNone; up = tree.nodes[up].parent) {
        if (const int32_t item = place_[static_cast<size_t>(tree.nodes[up].item)]; item >= 0) path_.push_back(item);
      }
      uint32_t node = Tree::kNone;
      for (size_t p = path_.size(); p-- > 0;) {
        uint32_t& child = children.at(node, path_[p]);
        if (child == 0) child = next.add(node, path_[p]);
        node = child;
        next.nodes[node].count += tree.nodes[leaf].count;
      }
    }
    return true;
  }

  int64_t min_count_, max_length_;
  ItemsetStore::Writer& out_;
  std::vector<Tree>& trees_;
  std::vector<Children>& children_;
  std::vector<int64_t>& sums_;
  std::vector<int32_t> place_, path_;
};

}  // namespace

void fpgrowth_search(const RankedBaskets& baskets, const SearchLimits& limits, ItemsetStore& store, Context& ctx) {
  const Tree tree = tree_of_all(baskets, ctx);
  struct Scratch {
    std::vector<Tree> trees = std::vector<Tree>(kMostDepth + 2);
    std::vector<Children> children = std::vector<Children>(kMostDepth + 2);
    std::vector<int64_t> sums;
  };
  std::vector<Scratch> scratch(static_cast<size_t>(worker_count(ctx)));
  const int64_t items = baskets.items();
  for_each_leaf({1, items, 0, items, items}, ctx, [&](int worker, int64_t root) {
    if (store.full()) return;
    Scratch& mine = scratch[static_cast<size_t>(worker)];
    ItemsetStore::Writer out(store, root);
    Grower(baskets.min_count, limits.max_length, out, mine.trees, mine.children, mine.sums).grow(tree, static_cast<size_t>(root), 1);
    out.end();
  });
}

Outcome fpgrowth_run(const BasketSet& baskets, const MiningParams& params, Context& ctx) {
  return mine_with(fpgrowth_search, false, baskets, params, ctx);
}

}  // namespace sluice
