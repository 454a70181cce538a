// What the fuzz targets of this room share: a reader must end in a whole table or in Error{kBadInput}, whatever the bytes are.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "sluice/core/error.h"
#include "sluice/core/table.h"
#include "sluice/io/file.h"

namespace sluice::fuzzing {

inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzzing: %s\n", what);
  std::abort();
}

// Every column exists, has as many rows as the table says, and can be read to its end.
inline void require_whole(const Table& table) {
  require(table.rows > 0 && !table.columns.empty(), "an empty table was accepted");
  for (const TableColumn& column : table.columns) {
    if (column.type == ColumnType::kText) {
      require(column.index >= 0 && column.index < static_cast<int64_t>(table.texts.size()), "a text column has no place");
    } else {
      require(table.numbers != nullptr && column.index >= 0 && column.index < table.numbers->cols(), "a numeric column has no place");
    }
  }
  for (const auto& text : table.texts) {
    require(text->rows() == table.rows, "a text column has other rows");
    for (int64_t i = 0; i < text->rows(); ++i) require(!text->missing(i) || text->at(i).empty(), "a missing text is not empty");
  }
  if (table.numbers == nullptr) return;
  require(table.numbers->rows() == table.rows, "the numbers have other rows");
  BlockBuffer buffer;
  const int64_t step = std::max<int64_t>(1, (int64_t{1} << 20) / table.numbers->cols());
  for (int64_t at = 0; at < table.rows; at += step) table.numbers->read(at, std::min(step, table.rows - at), buffer);
}

inline int read(const uint8_t* data, size_t size, const std::function<Table(const std::shared_ptr<File>&)>& reader) {
  try {
    require_whole(reader(file_of_bytes(data, size, "fuzz")));
  } catch (const Error& error) {
    require(error.code == ErrorCode::kBadInput, error.what());
  }
  return 0;
}

}  // namespace sluice::fuzzing
