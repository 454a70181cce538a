// What a table holds, before anything is done to it: per column its type, gaps, range, moments, exact quantiles, distinct and most frequent
// values, and what looks wrong. Use first, on any table. It changes nothing; what to do about a finding is for preprocess.h.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "sluice/core/context.h"
#include "sluice/core/table.h"

namespace sluice {

struct FrequentValue {
  std::string value;  // as text; numbers in their shortest form
  int64_t count = 0;
};

constexpr std::array<double, 7> kProfileQuantiles = {0, 0.05, 0.25, 0.5, 0.75, 0.95, 1};

struct ColumnProfile {
  std::string name;
  ColumnType type = ColumnType::kReal;
  int64_t missing = 0;  // empty texts too
  int64_t infinite = 0;
  bool constant = false;  // one value in all cells that hold one
  // Numbers only, over the finite values (quantiles: over all that are not missing). NaN where there is none.
  double min = 0, max = 0, mean = 0, deviation = 0;  // deviation over n
  std::array<double, kProfileQuantiles.size()> quantiles{};
  int64_t distinct = 0;  // exact if distinct_exact, else there are at least so many
  bool distinct_exact = true;
  std::vector<FrequentValue> frequent;  // the five most frequent, ties by value; empty where distinct is not exact
  std::vector<std::string> suspicious;  // sentences for people
};

struct Profile {
  int64_t rows = 0;
  int64_t rejected = 0;        // rows that could not be read
  int64_t duplicate_rows = 0;  // rows equal to an earlier one in every column
  std::vector<ColumnProfile> columns;
};

// Cost: 8 to 14 passes. Memory: distinct values are told apart up to 100,000 a column (2 million over all columns), and rows by 16 bytes
// each; either takes more passes where it does not fit its share of ctx.memory.
// Same for any threads, ranks and memory. What counts as suspicious:
//   a usual stand-in for "missing" (-9, -99, -999, ..., 99, 999, ..., 1e20, 9.96921e36) that is the least or greatest value, occurs at
//   least 3 times and lies beyond 1.5 interquartile ranges from the quartiles; values beyond 10 interquartile ranges; a text column of
//   which at least 9 cells in 10 are numbers, or some (at least 1 in 10) are; spaces around texts; texts that differ in case only; a column
//   of distinct whole numbers or texts, one a row (an id); integers beyond 2^53; infinite values.
// Throws Error{kBadInput} for a table without rows.
Profile profile(const Table& table, Context& ctx);

// A page of text: a table of the columns, then what is suspicious. Lines end in \n.
std::string profile_text(const Profile& profile);

}  // namespace sluice
