#include "sluice/patterns/tid_class.h"

#include <bit>
#include <cstring>
#if defined(__BMI2__)
#include <immintrin.h>
#endif

namespace sluice {
namespace {

// Shorter lists are not worth a change of their kind.
constexpr int64_t kFewWords = 8;

template <class T>
T* room(std::vector<T>& buffer, int64_t size) {
  if (buffer.size() < static_cast<size_t>(size)) buffer.resize(static_cast<size_t>(size));
  return buffer.data();
}

int64_t common(const uint64_t* a, const uint64_t* b, int64_t words) {
  int64_t count = 0;
  for (int64_t w = 0; w < words; ++w) count += std::popcount(a[w] & b[w]);
  return count;
}

// The bits of x where mask has one, moved together.
uint64_t gather_bits(uint64_t x, uint64_t mask) {
#if defined(__BMI2__)
  return _pext_u64(x, mask);
#else
  uint64_t out = 0;
  for (int at = 0; mask != 0; mask &= mask - 1, ++at) out |= (x >> std::countr_zero(mask) & 1) << at;
  return out;
#endif
}

void pack_bits(const uint64_t* x, const uint64_t* mask, int64_t words, uint64_t* to) {
  uint64_t word = 0;
  int filled = 0;
  for (int64_t w = 0; w < words; ++w) {
    const int more = std::popcount(mask[w]);
    const uint64_t bits = gather_bits(x[w], mask[w]);
    word |= bits << filled;
    filled += more;
    if (filled >= 64) {
      *to++ = word;
      filled -= 64;
      word = filled == 0 ? 0 : bits >> (more - filled);
    }
  }
  if (filled > 0) *to = word;
}

// Numbers of the set bits of f(w).
template <class F>
int64_t list_bits(int64_t words, uint32_t* to, const F& f) {
  const uint32_t* const begin = to;
  for (int64_t w = 0; w < words; ++w) {
    for (uint64_t bits = f(w); bits != 0; bits &= bits - 1) *to++ = static_cast<uint32_t>(w * 64 + std::countr_zero(bits));
  }
  return to - begin;
}

int64_t intersect(const uint32_t* a, int64_t na, const uint32_t* b, int64_t nb, uint32_t* to) {
  const uint32_t* const begin = to;
  int64_t i = 0, j = 0;
  while (i < na && j < nb) {
    const uint32_t x = a[i], y = b[j];
    *to = x;
    to += x == y;
    i += x <= y;
    j += y <= x;
  }
  return to - begin;
}

// Of b, what is not in a.
int64_t subtract(const uint32_t* b, int64_t nb, const uint32_t* a, int64_t na, uint32_t* to) {
  const uint32_t* const begin = to;
  int64_t i = 0, j = 0;
  while (j < nb && i < na) {
    const uint32_t x = a[i], y = b[j];
    *to = y;
    to += y < x;
    i += x <= y;
    j += y <= x;
  }
  std::memcpy(to, b + j, static_cast<size_t>(nb - j) * sizeof *b);
  return to - begin + nb - j;
}

struct Sizes {
  int64_t total = 0, members = 0;
};

void extend_bits(const TidClass& parent, size_t a, int64_t min_count, TidClass& child) {
  const TidMember& head = parent.members[a];
  const int64_t words = parent.words();
  Sizes sizes;
  for (size_t b = a + 1; b < parent.members.size(); ++b) {
    const TidMember& other = parent.members[b];
    const int64_t support = common(head.bits, other.bits, words);
    if (support < min_count) continue;
    child.members.push_back({other.rank, support, other.bits, nullptr, 0});  // the parent's bits, for now
    sizes.total += support;
    ++sizes.members;
  }
  if (child.members.empty()) return;
  const bool worth = words > kFewWords;
  if (worth && sparse_lists(sizes.total, sizes.members, head.support)) {
    child.kind = TidKind::kTids;
    uint32_t* to = room(child.lists, sizes.total);
    for (TidMember& m : child.members) {
      m.list = to;
      to += m.size = list_bits(words, to, [&](int64_t w) { return head.bits[w] & m.bits[w]; });
    }
  } else if (worth && sparse_lists(sizes.members * head.support - sizes.total, sizes.members, head.support)) {
    child.kind = TidKind::kDiffs;
    uint32_t* to = room(child.lists, sizes.members * head.support - sizes.total);
    for (TidMember& m : child.members) {
      m.list = to;
      to += m.size = list_bits(words, to, [&](int64_t w) { return head.bits[w] & ~m.bits[w]; });
    }
  } else {
    child.kind = TidKind::kBits;
    const bool pack = words > 1 && head.support * 2 <= parent.universe;
    child.universe = pack ? head.support : parent.universe;
    const int64_t its_words = child.words();
    uint64_t* to = room(child.bits, its_words * sizes.members);
    for (TidMember& m : child.members) {
      if (pack) {
        pack_bits(m.bits, head.bits, words, to);
      } else {
        for (int64_t w = 0; w < words; ++w) to[w] = head.bits[w] & m.bits[w];
      }
      m.bits = to;
      to += its_words;
    }
  }
}

void extend_tids(const TidClass& parent, size_t a, int64_t min_count, TidClass& child) {
  const TidMember& head = parent.members[a];
  const auto most = static_cast<int64_t>(parent.members.size() - a - 1) * head.size;
  uint32_t* to = room(child.lists, most + 1);  // one more: intersect writes before it knows
  Sizes sizes;
  for (size_t b = a + 1; b < parent.members.size(); ++b) {
    const TidMember& other = parent.members[b];
    const int64_t support = intersect(head.list, head.size, other.list, other.size, to);
    if (support < min_count) continue;
    child.members.push_back({other.rank, support, nullptr, to, support});
    to += support;
    sizes.total += support;
    ++sizes.members;
  }
  child.kind = TidKind::kTids;
  if (sizes.total * 4 <= sizes.members * head.support * 3) return;
  child.kind = TidKind::kDiffs;  // more than three quarters are there: what is missing is shorter
  to = child.lists.data();
  size_t b = a + 1;
  for (TidMember& m : child.members) {
    while (parent.members[b].rank != m.rank) ++b;
    m.list = to;
    to += m.size = subtract(head.list, head.size, parent.members[b].list, parent.members[b].size, to);
  }
}

void extend_diffs(const TidClass& parent, size_t a, int64_t min_count, TidClass& child) {
  const TidMember& head = parent.members[a];
  int64_t most = 1;
  for (size_t b = a + 1; b < parent.members.size(); ++b) most += parent.members[b].size;
  uint32_t* to = room(child.lists, most);
  for (size_t b = a + 1; b < parent.members.size(); ++b) {
    const TidMember& other = parent.members[b];
    const int64_t size = subtract(other.list, other.size, head.list, head.size, to);
    if (head.support - size < min_count) continue;
    child.members.push_back({other.rank, head.support - size, nullptr, to, size});
    to += size;
  }
  child.kind = TidKind::kDiffs;
}

}  // namespace

void extend_class(const TidClass& parent, size_t a, int64_t min_count, TidClass& child) {
  child.members.clear();
  child.universe = parent.universe;
  switch (parent.kind) {
    case TidKind::kBits:
      return extend_bits(parent, a, min_count, child);
    case TidKind::kTids:
      return extend_tids(parent, a, min_count, child);
    case TidKind::kDiffs:
      return extend_diffs(parent, a, min_count, child);
  }
}

}  // namespace sluice
