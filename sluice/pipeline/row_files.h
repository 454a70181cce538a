// The files of a run that hold something for every row: labels.npy, assignments.csv, embedding.npy, scores.npy, rows.npy, and what else an
// algorithm says of its rows; centers.csv and files of the algorithm's own.
// All are written in row order from pieces of any rank, with memory for a few leaves only.
#pragma once
#include <string>

#include "sluice/core/outcome.h"
#include "sluice/pipeline/input.h"

namespace sluice {

// Collective. `folder` ends without a slash. `assignments`: "csv" or "off".
void write_row_files(const Outcome& outcome, const Dataset& data, const std::string& folder, const std::string& assignments, Context& ctx);

// Distances of the rows [first, first + count) to their own centres, from the sparse form where both have one; `out` stays as it is where
// the outcome has none. Any thread.
void distances_of(const Outcome& outcome, const Source& rows, int64_t first, int64_t count, const int32_t* labels, double* out,
                  BlockBuffer& buffer);

// Collective. rows.npy, the input numbers of the rows kept; nothing where none was dropped.
void write_kept_rows(const Dataset& data, const std::string& folder, Context& ctx);

// Rank 0. A file of the algorithm's own.
void write_own_file(const OutcomeFile& own, const std::string& folder);

// All ranks' labels, in row order (4 bytes a row).
std::vector<int32_t> all_labels(const Outcome& outcome, Context& ctx);

// All ranks' distances to one's own centre, in row order (8 bytes a row); 0 where the outcome has none.
std::vector<double> all_distances(const Outcome& outcome, const Source& rows, Context& ctx);

// The text of centers.csv: the columns' names, then a row a cluster.
std::string centers_csv(const Matrix<double>& centers, const Source& rows);

// A CSV field: quoted where it must be.
std::string csv_field(std::string_view text);

}  // namespace sluice
