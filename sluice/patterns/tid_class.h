// The one-item extensions of a prefix with the baskets of each: what Eclat joins. Of use inside this folder.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace sluice {

enum class TidKind : uint8_t {
  kBits,   // a bit for each basket of the class
  kTids,   // the baskets that hold prefix and item, ascending
  kDiffs,  // the baskets that hold the prefix and not the item, ascending
};

struct TidMember {
  int32_t rank = 0;
  int64_t support = 0;  // baskets that hold prefix and item
  const uint64_t* bits = nullptr;
  const uint32_t* list = nullptr;
  int64_t size = 0;  // of the list
};

struct TidClass {
  TidKind kind = TidKind::kBits;
  int64_t universe = 0;            // baskets are numbered below it
  std::vector<TidMember> members;  // ascending by rank
  // What the members point into; kept when the class is filled anew.
  std::vector<uint64_t> bits;
  std::vector<uint32_t> lists;

  int64_t words() const { return (universe + 63) / 64; }
};

// Fills `child` with the frequent extensions of prefix + members[a] among the members after it, in the representation that takes least.
// Cost: the lists of those members.
void extend_class(const TidClass& parent, size_t a, int64_t min_count, TidClass& child);

// Whether `members` lists of `total` baskets in all, out of `universe`, are smaller as basket numbers than as bits.
inline bool sparse_lists(int64_t total, int64_t members, int64_t universe) {
  return total * 128 < members * universe;
}

}  // namespace sluice
