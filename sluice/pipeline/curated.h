// The product of a run: curated/rows.csv, the kept rows as they were read, with id, cluster and weight; and curated/ledger.csv, a line for
// every input row: kept, or dropped at which stage, why, and which kept row stands for it; then what its reader rejected, which has no number.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sluice/core/table.h"
#include "sluice/preprocess/preprocess.h"

namespace sluice {

// A row that a kept one of its cluster stands for; both by their numbers in the input.
struct DuplicateRow {
  int64_t row = 0;
  int64_t witness = 0;
  double distance = 0;
};

// What the stages say of the rows. "Prepared" are the rows that preprocessing left, in their order.
struct Curated {
  std::vector<RowFate> unprepared;       // what preprocessing dropped, ascending by row
  std::vector<DuplicateRow> duplicates;  // what the clusters' application dropped, ascending by row
  bool clustered = false;                // clusters were applied
  std::map<int32_t, double> weights;     // of a row by its cluster; 1 where there is none
  std::vector<int32_t> labels;           // one a prepared row, -1: noise; empty: not clustered
  std::vector<double> scores;            // one a prepared row where anomalies were looked for, else empty
  std::optional<double> threshold;       // scores from it on are anomalous
};

// Rank 0. `ids` may be null. Memory: a few rows.
void write_curated(const Curated& curated, const Table& table, const TextColumn* ids, const std::string& folder);

}  // namespace sluice
