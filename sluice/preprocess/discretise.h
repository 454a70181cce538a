// Tables as baskets: a row holds one item for each of its cells, named column=value. What rules are mined from when the data is no list of
// purchases. Numbers become ranges first; for numbers as numbers see scale.h, for texts as columns encode.h.
#pragma once
#include <string>
#include <vector>

#include "sluice/core/baskets.h"
#include "sluice/core/context.h"
#include "sluice/core/table.h"

namespace sluice {

enum class BinStrategy : uint8_t {
  kQuantile,  // about as many rows in each
  kUniform,   // of equal width
};

// Inner edges of the bins of a column, ascending and different: bin i holds edges[i - 1] <= x < edges[i], the last one is closed.
struct ColumnBins {
  bool values = false;       // few different numbers: each is an item of its own, and `edges` are these
  double low = 0, high = 0;  // least and greatest finite value
  std::vector<double> edges;
};

// The bins of every numeric column of `table`, in its order. A column of at most n_bins different values keeps them; one with a single
// value is one item. Quantiles are exact; equal ones are one edge. Infinite values belong to the outermost bins.
// Cost: column_quantiles. Same for any threads, ranks, memory.
std::vector<ColumnBins> bin_columns(const Table& table, int64_t n_bins, BinStrategy strategy, Context& ctx);

// The rows as baskets, every column used: "age=[17, 28)", "odor=foul". A missing cell gives no item. Items are numbered by column, then by
// value (texts in byte order). Memory: 4 bytes a cell and 8 a row; Error{kMemory} when that is more than half of ctx.memory.
BasketSet table_baskets(const Table& table, int64_t n_bins, BinStrategy strategy, Context& ctx);

// A table of one item a row as baskets: rows of equal `transaction` are one, in the order of their first row. Whole numbers in `item` are
// the items' numbers; texts (and other numbers) their names, numbered in byte order. A missing item stands for none: so a basket can be
// empty. Memory: 16 bytes a row and the names. Throws Error{kBadInput} for a missing transaction.
BasketSet long_baskets(const Table& table, int64_t transaction, int64_t item, Context& ctx);

}  // namespace sluice
