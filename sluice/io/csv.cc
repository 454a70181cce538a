#include "sluice/io/csv.h"

#include <limits>

#include "sluice/core/error.h"
#include "sluice/io/cell.h"
#include "sluice/io/columns.h"
#include "sluice/io/csv_records.h"
#include "sluice/io/dense.h"

namespace sluice {
namespace {

constexpr int64_t kSniff = 1000;  // records that are looked at before the first pass; what they show to be text is never stored as numbers
constexpr int64_t kStopCheck = 4096;

// All records of all files, headers checked and left out.
class CsvRows {
 public:
  CsvRows(const std::vector<TextFile>& files, const CsvOptions& options, const Context& ctx)
      : files_(files), options_(options), ctx_(ctx) {}

  bool next() {
    for (;;) {
      if (records_ == nullptr && !open_next()) return false;
      if (records_->next()) break;
      records_.reset();
    }
    const size_t count = cells().size();
    if (width_ == 0) set_width(count);
    if (count != width_) refuse_ragged(count);
    if (++rows_ % kStopCheck == 0 && ctx_.stopped())
      fail(ErrorCode::kInterrupted, records_->where(), "stopped on request", "run the same command again");
    return true;
  }
  const std::vector<std::string_view>& cells() const { return records_->cells(); }
  const std::vector<std::string>& names() const { return names_; }
  std::string where() const { return records_->where(); }

 private:
  bool open_next() {
    if (file_ == files_.size()) return false;
    const TextFile& file = files_[file_++];
    records_ = std::make_unique<CsvRecords>(open_text(file, options_.encoding), options_.delimiter, file.file->where());
    if (options_.header && records_->next()) read_header();
    return true;
  }

  void set_width(size_t count) {
    require_shape(records_->where(), 1, static_cast<int64_t>(count));
    width_ = count;
    if (names_.empty()) {
      for (size_t j = 0; j < count; ++j) names_.push_back("c" + std::to_string(j));
    }
  }

  void read_header() {
    std::vector<std::string> names;
    require_shape(records_->where(), 1, static_cast<int64_t>(cells().size()));
    for (const std::string_view cell : cells()) {
      if (!valid_utf8(cell)) fail_utf8(records_->where());
      names.push_back(cell.empty() ? "c" + std::to_string(names.size()) : std::string(cell));
    }
    require_distinct_names(names, records_->where());
    if (names_.empty()) {
      set_width(names.size());
      names_ = std::move(names);
    } else if (names != names_) {
      fail(ErrorCode::kBadInput, records_->where(), "has another header than the first file",
           "read files of equal columns together, or say --no-header");
    }
  }

  [[noreturn]] void refuse_ragged(size_t count) const {
    fail(ErrorCode::kBadInput, records_->where(),
         "has " + std::to_string(count) + " cells where " + std::to_string(width_) + " are expected",
         "mend the line; a cell that holds the delimiter must stand in quotes");
  }

  const std::vector<TextFile>& files_;
  const CsvOptions& options_;
  const Context& ctx_;
  std::unique_ptr<CsvRecords> records_;
  std::vector<std::string> names_;
  size_t width_ = 0;
  size_t file_ = 0;
  int64_t rows_ = 0;
};

// Which columns hold text already in the first records.
std::vector<bool> sniff_texts(CsvRows rows) {
  std::vector<bool> text;
  for (int64_t i = 0; i < kSniff && rows.next(); ++i) {
    text.resize(rows.cells().size());
    for (size_t j = 0; j < text.size(); ++j) {
      double value;
      text[j] = text[j] || parse_cell(rows.cells()[j], value) == Cell::kText;
    }
  }
  return text;
}

void append_text(TableColumns& columns, size_t j, std::string_view cell, const CsvRows& rows) {
  double value;
  if (parse_cell(cell, value) == Cell::kMissing) return columns.texts[j]->append_missing();
  if (!valid_utf8(cell)) fail_utf8(rows.where());
  columns.append_text(j, cell, [&] { return rows.where(); });
}

// Adds one number's cell to what is known of its column.
void note_cell(std::string_view cell, ColumnFacts& facts, double& value, const CsvRows& rows) {
  switch (parse_cell(cell, value)) {
    case Cell::kNumber:
      facts.empty = false;
      if ((value >= 9007199254740992.0 || value <= -9007199254740992.0) && beyond_exact_integer(cell))
        facts.beyond = true;
      else if (!is_int64(value))
        facts.whole = false;
      return;
    case Cell::kMissing:
      return;
    case Cell::kText:
      facts.text = true;
      break;
    case Cell::kOverflow:
      if (facts.overflow.empty()) facts.overflow = rows.where();
      facts.empty = false;
      if (beyond_exact_integer(cell))
        facts.beyond = true;
      else
        facts.whole = false;
      break;
  }
  value = std::numeric_limits<double>::quiet_NaN();
}

// The columns that turned out to be text after they were stored as numbers: read again, from the file.
void collect_late_texts(CsvRows rows, TableColumns& columns, const std::string& where) {
  const std::vector<size_t> late = columns.late();
  if (late.empty()) return;
  int64_t count = 0;
  for (; rows.next(); ++count) {
    if (rows.cells().size() != columns.names.size()) break;
    for (const size_t j : late) append_text(columns, j, rows.cells()[j], rows);
  }
  if (count != columns.rows) fail(ErrorCode::kIo, where, "changed while it was read", "read it when nobody writes it");
}

}  // namespace

Table read_csv(const std::vector<TextFile>& files, const CsvOptions& options, const StoreOptions& store, const Context& ctx) {
  const std::vector<bool> sniffed = sniff_texts(CsvRows(files, options, ctx));
  CsvRows rows(files, options, ctx);
  if (!rows.next()) {
    fail(ErrorCode::kBadInput, files.at(0).file->where(), rows.names().empty() ? "is empty" : "holds a header and no rows",
         "give a file with at least one row");
  }
  TableColumns columns(rows.names(), sniffed, store);
  std::vector<double> row(columns.stored.size());
  do {
    const auto& cells = rows.cells();
    for (size_t k = 0; k < row.size(); ++k) {
      const size_t j = columns.stored[k];
      note_cell(cells[j], columns.facts[j], row[k], rows);
    }
    for (const size_t j : columns.sniffed) append_text(columns, j, cells[j], rows);
    columns.append(row.data());
  } while (rows.next());
  columns.settle(files.at(0).file->where());
  collect_late_texts(CsvRows(files, options, ctx), columns, files.at(0).file->where());
  return columns.finish();
}

}  // namespace sluice
