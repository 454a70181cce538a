// JSON Lines as a table: one object a line, its keys are the columns.
#pragma once
#include <string>
#include <vector>

#include "sluice/core/context.h"
#include "sluice/core/table.h"
#include "sluice/io/encoding.h"

namespace sluice {

// Columns stand in the order in which their keys first appear; a key that a line lacks, and null, are missing cells. Booleans are 0 and 1.
// A list of numbers is as many columns, KEY_0, KEY_1, ..., and must be equally long in all lines. Strings are text whatever they hold; a
// column with a string in any line is text, its numbers written shortest. Whole numbers past 2^53 as in csv.h, in lists refused. Empty
// lines are skipped. Several files are one table.
//
// Cost: two passes, about 100 MB/s each (the first finds columns and types). Memory: as the row store and the text columns keep, and one
// line. Throws Error{kBadInput} naming FILE:LINE for what is not JSON, an object inside an object, a list of anything but numbers, a key
// that comes twice, lists of unequal length, numbers past the largest double, and for a file without rows or keys.
Table read_jsonl(const std::vector<TextFile>& files, const std::string& encoding, const StoreOptions& store, const Context& ctx);

}  // namespace sluice
