// A table: named, typed columns. Numbers lie together as the rows of one source (missing cells are NaN), texts each in a
// column of their own. What readers deliver and preprocessing takes; algorithms see only the numbers.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sluice/core/row_store.h"
#include "sluice/core/source.h"

namespace sluice {

enum class ColumnType : uint8_t {
  kReal,     // decimal numbers
  kInteger,  // every cell is a whole number that int64 holds
  kText,     // at least one cell is not a number
};

struct TableColumn {
  std::string name;
  ColumnType type = ColumnType::kReal;
  int64_t index = 0;           // column of `numbers`, or place in `texts`
  bool beyond_double = false;  // an integer past 2^53: exact as text only, refused as a feature
};

// An input row that its reader could not read: a file's name within its folder, and why.
struct Rejected {
  std::string name, why;
};

struct Table {
  int64_t rows = 0;
  std::vector<TableColumn> columns;  // in the file's order
  std::shared_ptr<Source> numbers;   // rows x (number of numeric columns), possibly 0 columns (then null)
  std::vector<std::shared_ptr<TextColumn>> texts;
  std::vector<Rejected> rejected;  // what could not be read at all (broken pictures)
  int64_t n_rejected() const { return static_cast<int64_t>(rejected.size()); }
  // The place of the column called so, or by number ("3", "-1" the last); throws Error{kBadInput} naming close names.
  int64_t find(const std::string& name_or_number) const;
};

}  // namespace sluice
