#include "sluice/patterns/tid_class.h"

#include <gtest/gtest.h>

#include <set>

#include "sluice/core/random.h"

namespace sluice {
namespace {

using Rows = std::vector<uint8_t>;  // 1: the basket holds the item

// Checks every extension below `cls` against the rows, and notes which kinds came up.
void check(const TidClass& cls, const std::vector<Rows>& rows, const Rows& prefix, int64_t min_count, int depth, std::set<TidKind>& kinds) {
  kinds.insert(cls.kind);
  for (size_t a = 0; a < cls.members.size(); ++a) {
    Rows held = prefix;
    const Rows& mine = rows[static_cast<size_t>(cls.members[a].rank)];
    for (size_t i = 0; i < held.size(); ++i) held[i] &= mine[i];
    TidClass child;
    extend_class(cls, a, min_count, child);
    std::vector<std::pair<int32_t, int64_t>> expected, found;
    for (size_t b = a + 1; b < cls.members.size(); ++b) {
      int64_t support = 0;
      for (size_t i = 0; i < held.size(); ++i) support += held[i] & rows[static_cast<size_t>(cls.members[b].rank)][i];
      if (support >= min_count) expected.emplace_back(cls.members[b].rank, support);
    }
    for (const TidMember& member : child.members) found.emplace_back(member.rank, member.support);
    ASSERT_EQ(found, expected) << "depth " << depth;
    check(child, rows, held, min_count, depth + 1, kinds);
  }
}

std::set<TidKind> check_random(const std::vector<double>& density, int64_t universe, int64_t min_count) {
  std::vector<Rows> rows;
  TidClass cls;
  cls.universe = universe;
  cls.bits.assign(static_cast<size_t>(cls.words()) * density.size(), 0);
  for (size_t r = 0; r < density.size(); ++r) {
    Random random(1, RandomStage::kSubsample, r);
    Rows row(static_cast<size_t>(universe));
    int64_t support = 0;
    for (int64_t i = 0; i < universe; ++i) {
      if (random.uniform() >= density[r]) continue;
      row[static_cast<size_t>(i)] = 1;
      ++support;
      cls.bits[r * static_cast<size_t>(cls.words()) + static_cast<size_t>(i / 64)] |= uint64_t{1} << (i % 64);
    }
    rows.push_back(row);
    cls.members.push_back({static_cast<int32_t>(r), support, cls.bits.data() + r * static_cast<size_t>(cls.words()), nullptr, 0});
  }
  std::set<TidKind> kinds;
  check(cls, rows, Rows(static_cast<size_t>(universe), 1), min_count, 1, kinds);
  return kinds;
}

TEST(TidClass, BitsPackAsThePrefixGrows) {
  EXPECT_EQ(check_random({0.3, 0.3, 0.4, 0.5, 0.5, 0.6}, 3'001, 1), (std::set{TidKind::kBits}));
  check_random({0.5, 0.5, 0.5}, 64, 1);
  check_random({0.5, 0.5, 0.5}, 65, 1);
  check_random({0.4, 0.5, 0.5}, 128, 1);
}

TEST(TidClass, NearlyFullListsAreWhatIsMissing) {
  EXPECT_TRUE(check_random({0.9, 0.995, 0.996, 0.997, 0.998, 1}, 3'000, 1).contains(TidKind::kDiffs));
}

TEST(TidClass, ThinListsAreNumbers) {
  EXPECT_TRUE(check_random({0.5, 0.004, 0.005, 0.005, 0.003}, 20'000, 1).contains(TidKind::kTids));
}

TEST(TidClass, NumbersBecomeWhatIsMissingToo) {
  // Items 1 to 4 are thin, and among themselves nearly the same.
  const int64_t universe = 20'000;
  TidClass cls;
  cls.universe = universe;
  cls.bits.assign(static_cast<size_t>(cls.words()) * 5, 0);
  std::vector<Rows> rows(5, Rows(static_cast<size_t>(universe)));
  for (int64_t i = 0; i < universe; ++i) {
    rows[0][static_cast<size_t>(i)] = 1;
    for (size_t r = 1; r < 5; ++r) rows[r][static_cast<size_t>(i)] = i % 200 == 0 && i % static_cast<int64_t>(1700 + 100 * r) != 0;
  }
  for (size_t r = 0; r < 5; ++r) {
    int64_t support = 0;
    uint64_t* bits = cls.bits.data() + r * static_cast<size_t>(cls.words());
    for (int64_t i = 0; i < universe; ++i) {
      support += rows[r][static_cast<size_t>(i)];
      bits[i / 64] |= uint64_t{rows[r][static_cast<size_t>(i)]} << (i % 64);
    }
    cls.members.push_back({static_cast<int32_t>(r), support, bits, nullptr, 0});
  }
  std::set<TidKind> kinds;
  check(cls, rows, Rows(static_cast<size_t>(universe), 1), 1, 1, kinds);
  EXPECT_EQ(kinds.size(), 3U);
}

}  // namespace
}  // namespace sluice
