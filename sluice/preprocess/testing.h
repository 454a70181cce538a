// Tables for this room's tests, and contexts to fit them in.
#pragma once
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sluice/core/fold.h"
#include "sluice/core/table.h"
#include "sluice/core/text.h"

namespace sluice::testing {

inline const double kGap = std::numeric_limits<double>::quiet_NaN();

inline Context context(int threads = 1, int64_t leaf = 0) {
  Context ctx;
  ctx.threads = threads;
  ctx.leaf_rows = leaf;
  return ctx;
}

// A table of columns of numbers (row-major), named a, b, ...
inline Table numbers(std::vector<double> values, int64_t cols) {
  Table table;
  table.rows = static_cast<int64_t>(values.size()) / cols;
  bool whole = true;
  for (const double x : values) whole &= x != x || x == static_cast<double>(static_cast<int64_t>(x));
  table.numbers = std::make_shared<MemorySource>(std::move(values), table.rows, cols);
  for (int64_t j = 0; j < cols; ++j) {
    table.columns.push_back({j < 26 ? std::string(1, static_cast<char>('a' + j)) : "c" + std::to_string(j),
                             whole ? ColumnType::kInteger : ColumnType::kReal, j, false});
  }
  return table;
}

// Adds a text column; "" is a missing cell.
inline void add_texts(Table& table, const std::string& name, const std::vector<const char*>& cells) {
  auto column = std::make_shared<TextColumn>();
  for (const std::string_view cell : cells) {
    if (cell.empty()) {
      column->append_missing();
    } else {
      column->append(cell);
    }
  }
  table.rows = static_cast<int64_t>(cells.size());
  table.columns.push_back({name, ColumnType::kText, static_cast<int64_t>(table.texts.size()), false});
  table.texts.push_back(std::move(column));
}

inline std::vector<double> values_of(const Source& source) {
  std::vector<double> out;
  BlockBuffer buffer;
  std::vector<double> scratch(static_cast<size_t>(source.cols()));
  for (int64_t i = 0; i < source.rows(); ++i) {
    const double* row = source.read(i, 1, buffer).row(0, scratch.data());
    out.insert(out.end(), row, row + source.cols());
  }
  return out;
}

// The numbers of a data set in SLUICE_DATA (else ../shared/data), without its last `labels` columns; nothing when it is not there.
inline std::optional<Table> data_set(const std::string& name, int64_t labels) {
  const char* folder = std::getenv("SLUICE_DATA");
  std::filesystem::path root = folder != nullptr ? folder : "";
  if (folder == nullptr) {
    root = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path().parent_path() / "shared" / "data";
  }
  const gzFile file = gzopen((root / name).c_str(), "rb");
  if (file == nullptr) return std::nullopt;
  std::string text;
  char part[4096];
  for (int got = 0; (got = gzread(file, part, sizeof part)) > 0;) text.append(part, static_cast<size_t>(got));
  gzclose(file);
  std::vector<double> values;
  int64_t cols = 0;
  for (size_t at = text.find('\n') + 1; at < text.size();) {  // after the header
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    std::erase(line, '\r');
    at = end + 1;
    std::vector<double> row;
    for (size_t from = 0; from <= line.size();) {
      const size_t comma = std::min(line.find(',', from), line.size());
      row.push_back(parse_number<double>(std::string_view(line).substr(from, comma - from)).value_or(kGap));
      from = comma + 1;
    }
    cols = static_cast<int64_t>(row.size()) - labels;
    values.insert(values.end(), row.begin(), row.begin() + cols);
  }
  return numbers(std::move(values), cols);
}

}  // namespace sluice::testing
