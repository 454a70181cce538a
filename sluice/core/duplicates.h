// Exact duplicate rows, and which of them stay. Use before anything that a repeated row would weigh down: training sets, density, medians.
// Not for near duplicates, and not where a row's count is itself information.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "sluice/core/context.h"
#include "sluice/core/table.h"

namespace sluice {

struct Duplicate {
  int64_t row = 0;
  int64_t witness = 0;  // the first row that equals it; that one is kept
};

// Rows that equal an earlier one in every column, ascending. Numbers are equal as float64 values (missing equals missing, -0 equals 0),
// texts byte by byte (missing equals empty). Rows are compared by 128-bit hashes (88 bits of XXH3-128, 40 of row number), then candidates
// value by value, so no hash collision drops a row.
// Cost: O(n d + n log n), one pass over the rows; more passes, each for a part of the hashes, when 16 bytes a row exceed a quarter of
// ctx.memory. Same result for any threads, ranks, memory. Throws Error{kMemory} from 2^40 rows on.
std::vector<Duplicate> find_duplicates(const Table& table, Context& ctx);

// The same among rows of numbers where only rows of one class can be equal: `classes` holds one a row, on every rank. So each witness is the
// first row of its class that equals.
std::vector<Duplicate> find_duplicates(const Source& rows, std::span<const int32_t> classes, Context& ctx);

}  // namespace sluice
