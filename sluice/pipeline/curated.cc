#include "sluice/pipeline/curated.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "sluice/core/error.h"
#include "sluice/core/text.h"
#include "sluice/pipeline/row_files.h"

namespace sluice {
namespace {

class CsvFile {
 public:
  explicit CsvFile(const std::string& path) : path_(path), out_(path, std::ios::binary) {}
  void line(const std::string& text) {
    out_ << text << '\n';
    if (!out_) fail(ErrorCode::kIo, path_, "writing failed", "free some space on the disk");
  }
  void close() {
    out_.close();
    if (!out_) fail(ErrorCode::kIo, path_, "writing failed", "free some space on the disk");
  }

 private:
  std::string path_;
  std::ofstream out_;
};

// The cells of one row as they were read.
class Cells {
 public:
  explicit Cells(const Table& table) : table_(table), scratch_(static_cast<size_t>(table.numbers == nullptr ? 0 : table.numbers->cols())) {}

  std::string row(int64_t row) {
    if (table_.numbers != nullptr && (row < first_ || row >= first_ + block_.rows)) {
      first_ = row;
      block_ = table_.numbers->read(row, std::min<int64_t>(1024, table_.rows - row), buffer_);
    }
    const double* values = table_.numbers == nullptr ? nullptr : block_.row(row - first_, scratch_.data());
    std::string out;
    for (const TableColumn& column : table_.columns) {
      out += ',';
      if (column.type == ColumnType::kText || column.beyond_double) {
        out += csv_field(table_.texts[static_cast<size_t>(column.index)]->at(row));
      } else if (const double value = values[column.index]; !std::isnan(value)) {
        out += column.type == ColumnType::kInteger ? to_text(static_cast<int64_t>(value)) : to_text(value);
      }
    }
    return out;
  }

 private:
  const Table& table_;
  BlockBuffer buffer_;
  MatrixBlock block_;
  int64_t first_ = 0;
  std::vector<double> scratch_;
};

std::string id_of(const TextColumn* ids, int64_t row) {
  return ids != nullptr ? csv_field(ids->at(row)) : to_text(row);
}

std::string anomaly_of(const Curated& curated, size_t row) {
  if (curated.score.empty()) return "";
  return "," + to_text(curated.score[row]) + (curated.anomalous[row] != 0 ? ",1" : ",0");
}

}  // namespace

void write_curated(const Curated& curated, const Table& table, const TextColumn* ids, const std::string& folder) {
  std::filesystem::create_directories(folder);
  CsvFile rows(folder + "/rows.csv");
  CsvFile ledger(folder + "/ledger.csv");
  std::string header = "id,row,cluster,weight";
  if (!curated.score.empty()) header += ",anomaly_score,anomalous";
  for (const TableColumn& column : table.columns) header += "," + csv_field(column.name);
  rows.line(header);
  ledger.line("row,id,fate,stage,reason,witness,distance");
  Cells cells(table);
  for (int64_t row = 0; row < table.rows; ++row) {
    const auto i = static_cast<size_t>(row);
    const LedgerLine& fate = curated.ledger[i];
    ledger.line(to_text(row) + "," + id_of(ids, row) + "," + (fate.kept ? "kept" : "dropped") + "," + fate.stage + "," +
                csv_field(fate.reason) + "," + (fate.witness >= 0 ? to_text(fate.witness) + "," + to_text(fate.distance) : ","));
    if (!fate.kept) continue;
    rows.line(id_of(ids, row) + "," + to_text(row) + "," + (curated.clustered ? to_text(static_cast<int64_t>(curated.cluster[i])) : "") +
              "," + to_text(curated.weight[i]) + anomaly_of(curated, i) + cells.row(row));
  }
  for (const Rejected& one : table.rejected) ledger.line("," + csv_field(one.name) + ",rejected,read," + csv_field(one.why) + ",,");
  rows.close();
  ledger.close();
}

}  // namespace sluice
