// Texts to numbers: one-hot (a 0/1 column a level) or ordinal (the level's number). Levels stand in ascending byte order. Rare levels
// share one level, "other", so that an id-like column does not become thousands of columns.
// Use ordinal only where the byte order means something or for trees; distances need one-hot.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "sluice/core/row_store.h"

namespace sluice {

enum class Encode : uint8_t { kOneHot, kOrdinal, kDrop, kRefuse };
enum class Unknown : uint8_t { kOther, kError };

using LevelCounts = std::vector<std::pair<std::string, int64_t>>;  // ascending by level

// The levels of a text column over the given rows (ascending; empty: all), a missing or empty cell not counted.
// Cost O(rows); memory: the distinct texts.
LevelCounts level_counts(const TextColumn& column, std::span<const int64_t> rows);

struct Levels {
  std::vector<std::string> kept;  // ascending
  bool other = false;             // rare levels were put together
  int64_t grouped = 0;            // how many of them
};

// A level with fewer than min_frequency rows (below 1: of that share of `rows`) is rare. If more than max_levels would remain ("other"
// counted), the least frequent are rare too, of equals the last in byte order. A level that is itself called "other" joins the rare ones
// if there are any.
Levels choose_levels(const LevelCounts& counts, int64_t rows, double min_frequency, int64_t max_levels);

constexpr int32_t kNoLevel = -1;
constexpr int32_t kMissingLevel = -2;

// Each row's number in levels.kept, kept.size() for a rare level if levels.other, else kNoLevel; `fill` stands for a missing cell, which is
// kMissingLevel where fill is "". Cost O(rows); memory 4 bytes a row.
std::vector<int32_t> level_codes(const TextColumn& column, const std::vector<std::string>& kept, bool other, const std::string& fill);

}  // namespace sluice
