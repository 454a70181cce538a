// Disjoint sets that many threads join at once, without locks. The smallest member of a set is its root, so the forest that is left does
// not depend on the order of joining. Memory: 8 bytes a member. Anderson and Woll 1991, doi:10.1145/103418.103458.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "sluice/core/context.h"

namespace sluice {

class UnionFind {
 public:
  explicit UnionFind(int64_t size) : size_(size), parent_(new std::atomic<int64_t>[static_cast<size_t>(size)]) {
    for (int64_t i = 0; i < size; ++i) parent_[static_cast<size_t>(i)].store(i, std::memory_order_relaxed);
  }
  int64_t size() const { return size_; }

  int64_t find(int64_t x) {
    int64_t up = at(x).load(std::memory_order_relaxed);
    while (up != x) {
      const int64_t above = at(up).load(std::memory_order_relaxed);
      // Halves the path. A parent only ever becomes smaller, so a lost race loses nothing.
      if (above != up) at(x).compare_exchange_weak(up, above, std::memory_order_relaxed);
      x = above;
      up = at(x).load(std::memory_order_relaxed);
    }
    return x;
  }

  void unite(int64_t a, int64_t b) {
    for (;;) {
      a = find(a);
      b = find(b);
      if (a == b) return;
      if (a > b) std::swap(a, b);
      int64_t root = b;
      if (at(b).compare_exchange_strong(root, a, std::memory_order_relaxed)) return;
    }
  }

  // The union of all ranks' forests, on every rank. Collective; 16 bytes a joined member and rank.
  void join_ranks(Context& ctx) {
    if (ctx.ranks() == 1) return;
    std::vector<int64_t> joined;
    for (int64_t x = 0; x < size_; ++x) {
      const int64_t root = find(x);
      if (root == x) continue;
      joined.push_back(x);
      joined.push_back(root);
    }
    for (const Bytes& theirs : ctx.comm->all_gather(std::as_bytes(std::span<const int64_t>(joined)))) {
      const auto* pairs = reinterpret_cast<const int64_t*>(theirs.data());
      for (size_t i = 0; i + 1 < theirs.size() / sizeof(int64_t); i += 2) unite(pairs[i], pairs[i + 1]);
    }
  }

 private:
  std::atomic<int64_t>& at(int64_t x) { return parent_[static_cast<size_t>(x)]; }
  int64_t size_;
  std::unique_ptr<std::atomic<int64_t>[]> parent_;
};

}  // namespace sluice
