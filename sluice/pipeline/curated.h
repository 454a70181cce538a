// The product of a run: curated/rows.csv, the kept rows as they were read, with id, cluster and weight; and curated/ledger.csv, a line for
// every input row: kept, or dropped at which stage, why, and which kept row stands for it; then what its reader rejected, which has no number.
#pragma once
#include <string>
#include <vector>

#include "sluice/core/table.h"

namespace sluice {

struct LedgerLine {
  bool kept = true;
  std::string stage;  // of a dropped row
  std::string reason;
  int64_t witness = -1;  // input row number of the kept row that stands for it
  double distance = 0;   // to the witness
};

struct Curated {
  std::vector<LedgerLine> ledger;  // one an input row
  std::vector<int32_t> cluster;    // one an input row; -1: noise or none
  std::vector<double> weight;      // one an input row
  std::vector<double> score;       // one an input row where anomalies were looked for, else empty
  std::vector<uint8_t> anomalous;  // the same
  bool clustered = false;          // clusters were applied
};

// Rank 0. `ids` may be null. Memory: a few rows.
void write_curated(const Curated& curated, const Table& table, const TextColumn* ids, const std::string& folder);

}  // namespace sluice
