// Data by name: files, folders, patterns or standard input as one table. What the command line, pipeline files and Python open data with.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "sluice/core/context.h"
#include "sluice/core/row_store.h"
#include "sluice/core/table.h"
#include "sluice/io/labels.h"        // IWYU pragma: export
#include "sluice/io/read_options.h"  // IWYU pragma: export

namespace sluice {

// Formats by name (or by options.format): .csv .tsv .jsonl, IDX (each also .gz, .zst), .npy, .npz, .parquet .arrow .feather, and pictures.
// "-" is CSV on standard input. Several files are one table, rows in the order given (see expand_inputs in format.h), and must agree in
// their columns; the types of several CSV or JSON Lines files follow from all of them.
// A folder that holds pictures is read as pictures; other files in it are counted as rejected.
//
// Cost and memory: those of the format's own header (npy.h, csv.h, ...). Never a whole file in memory beyond `store`.
// Throws Error{kIo} for a missing file, Error{kBadInput} for one that can't be understood, Error{kUsage} for a format that is not known or
// not there yet (item baskets as a table, text folders, audio, s3://).
Table read_table(const std::vector<std::string>& inputs, const ReadOptions& options, const StoreOptions& store, Context& ctx);

}  // namespace sluice
