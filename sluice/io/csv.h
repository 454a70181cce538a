// Comma and tab separated text as a table. Our own parser, for exact values and for the line in the error; see csv_records.h for what
// counts as a record and cell.h for what counts as a number.
#pragma once
#include <string>
#include <vector>

#include "sluice/core/context.h"
#include "sluice/core/table.h"
#include "sluice/io/encoding.h"

namespace sluice {

struct CsvOptions {
  char delimiter = ',';
  bool header = true;    // the first record of each file holds the column names
  std::string encoding;  // "" = UTF-8
};

// Several files are one table: they must have the same header (or, without, as many columns).
//
// Types follow from the whole column: numbers while every cell is one (whole numbers: kInteger), else text. A column of whole numbers
// with one past 2^53 is text with `beyond_double` set, so that it can serve as an id and never as a feature. A column without any value
// is kReal. Empty header cells become cN; equal names are an error.
//
// Cost: one pass over the text at 150 MB/s or more, and a second only when a column that began as numbers turns out to be text.
// Memory: as the row store and the text columns keep; the parser itself 128 KiB or twice the longest record.
// Throws Error{kBadInput} naming FILE:LINE for ragged rows, damaged quotes, bytes that are not the encoding's, numbers past the largest
// double, and for a file without rows; Error{kInterrupted} on a wish to stop.
Table read_csv(const std::vector<TextFile>& files, const CsvOptions& options, const StoreOptions& store, const Context& ctx);

}  // namespace sluice
