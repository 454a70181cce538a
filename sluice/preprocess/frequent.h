// Which values occur how often: the most frequent value, the number of distinct ones. Exact, in bounded memory.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "sluice/core/context.h"
#include "sluice/core/source.h"

namespace sluice {

// The most frequent value of each of the named columns, the least of several; NaN for a column without values. NaN is not counted.
// Cost: one pass when all distinct values fit the bound; else a pass for each part that does. Memory: about 40 bytes a distinct value
// and thread, at most an eighth of ctx.memory. Same bits for any threads, ranks, memory.
std::vector<double> most_frequent(const Source& source, std::span<const int64_t> columns, Context& ctx);

struct ValueCounts {
  bool complete = true;  // false: more than `limit` distinct values; then `distinct` is limit + 1 and the rest is empty
  int64_t distinct = 0;
  std::vector<double> values;  // the `most` most frequent ones, by count, most first, then by value
  std::vector<int64_t> counts;
};

// The distinct values of every column and their counts, for columns with at most `limit` of them. Cost: one pass where all that must be
// told apart fit the memory, else several, which read no further than their columns take. Memory: 24 to 48 bytes a distinct value, at most
// an eighth of ctx.memory or what one column takes, whatever the number of threads. Same for any threads, ranks, memory.
std::vector<ValueCounts> count_values(const Source& source, int64_t limit, size_t most, Context& ctx);

}  // namespace sluice
