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

// The columns that say what the stages found of a prepared row.
std::string found_of(const Curated& curated, size_t prepared) {
  std::string out;
  double weight = 1;
  if (curated.clustered) {
    const int32_t label = curated.labels[prepared];
    out = to_text(static_cast<int64_t>(label));
    if (const auto own = curated.weights.find(label); own != curated.weights.end()) weight = own->second;
  }
  out += "," + to_text(weight);
  if (curated.scores.empty()) return out;
  const double score = curated.scores[prepared];
  return out + "," + to_text(score) + (curated.threshold && score >= *curated.threshold ? ",1" : ",0");
}

std::string witness_of(int64_t row, double distance) {
  return row >= 0 ? to_text(row) + "," + to_text(distance) : ",";
}

std::string fate_of(const RowFate& one) {
  const std::string detail = one.witness >= 0 ? "equals row " + to_text(one.witness) : one.detail;
  return "dropped,preprocess," + csv_field(std::string(one.reason) + (detail.empty() ? "" : ": " + detail)) + "," +
         witness_of(one.witness, 0);
}

std::string fate_of(const DuplicateRow& one) {
  return "dropped,apply,duplicate," + witness_of(one.witness, one.distance);
}

}  // namespace

void write_curated(const Curated& curated, const Table& table, const TextColumn* ids, const std::string& folder) {
  std::filesystem::create_directories(folder);
  CsvFile rows(folder + "/rows.csv");
  CsvFile ledger(folder + "/ledger.csv");
  std::string header = "id,row,cluster,weight";
  if (!curated.scores.empty()) header += ",anomaly_score,anomalous";
  for (const TableColumn& column : table.columns) header += "," + csv_field(column.name);
  rows.line(header);
  ledger.line("row,id,fate,stage,reason,witness,distance");
  Cells cells(table);
  auto unprepared = curated.unprepared.cbegin();
  auto duplicate = curated.duplicates.cbegin();
  size_t prepared = 0;
  for (int64_t row = 0; row < table.rows; ++row) {
    const std::string id = id_of(ids, row);
    const std::string start = to_text(row) + "," + id + ",";
    if (unprepared != curated.unprepared.cend() && unprepared->row == row) {
      ledger.line(start + fate_of(*unprepared++));
      continue;
    }
    const size_t at = prepared++;
    if (duplicate != curated.duplicates.cend() && duplicate->row == row) {
      ledger.line(start + fate_of(*duplicate++));
      continue;
    }
    ledger.line(start + "kept,,,,");
    rows.line(id + "," + to_text(row) + "," + found_of(curated, at) + cells.row(row));
  }
  for (const Rejected& one : table.rejected) ledger.line("," + csv_field(one.name) + ",rejected,read," + csv_field(one.why) + ",,");
  rows.close();
  ledger.close();
}

}  // namespace sluice
