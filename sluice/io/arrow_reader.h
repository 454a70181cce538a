// Parquet, Arrow (file and stream) and Feather as a table. Arrow itself stands in a plug-in, libsluice_arrow.so, opened at the first such
// file; what kind of file it is follows from its first bytes.
#pragma once
#include <string>

#include "sluice/core/row_store.h"
#include "sluice/core/table.h"
#include "sluice/io/read_options.h"

namespace sluice {

// Columns by Arrow's type:
//   integers of every width and bool: kInteger; past 2^53 text with `beyond_double`, as in a CSV (a second pass over that column)
//   float16, float32, float64, and fixed-size binary of 2 bytes, which is read as bfloat16: kReal
//   decimal: the nearest double, kInteger where its scale is 0 or less
//   list, large list, fixed-size list of any of these, all of m values: columns NAME_0 .. NAME_{m-1}
//   text, binary that is UTF-8, dates and times (as ISO 8601), fixed-size binary of other sizes (hexadecimal): kText
//   dictionary: as its values; extension types: as what they are stored as
// Missing cells are NaN or missing text. Struct, map, union and nested lists are refused by name.
//
// Cost: one pass. Memory: Parquet two or three pages (1 MB each as a rule) for each column, Arrow one record batch as it was written, both
// bounded by 2 store.memory or 128 MiB if that is more; then as the row store and the text columns keep.
// Throws Error{kBadInput} for what is cut, damaged or refused, Error{kMemory} when one part of the file needs more than the bound above,
// Error{kUsage} without the plug-in, Error{kIo} for a missing file. Page checksums are verified where the file has them.
Table read_arrow(const std::string& path, const ReadOptions& options, const StoreOptions& store);

}  // namespace sluice
