// A table in the making by a reader of text: which columns are numbers, which text, and where both are kept.
// Columns known to be text beforehand are kept as text from the start; all others go into one row store, and those of them that turn out
// not to be numbers are left out at the end and collected again by the reader.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "sluice/core/error.h"
#include "sluice/core/table.h"

namespace sluice {

// What the cells of a column have shown.
struct ColumnFacts {
  bool text = false;     // one was not a number
  bool whole = true;     // all were whole numbers that int64 holds
  bool beyond = false;   // one was a whole number past 2^53
  bool empty = true;     // all were missing
  std::string overflow;  // where one was past the largest double
};

struct TableColumns {
  TableColumns(std::vector<std::string> names, const std::vector<bool>& texts_known, const StoreOptions& store);
  // Values of the stored columns, in the order of `stored`.
  void append(const double* row);
  // A cell of a column that is kept as text. `where()` names the place when the texts outgrow their memory.
  template <class Where>
  void append_text(size_t column, std::string_view cell, const Where& where) {
    try {
      texts[column]->append(cell);
    } catch (const Error& error) {
      throw Error(error.code, where() + ": column '" + names[column] + "'", error.message, error.remedy);
    }
  }
  // After the last row: decides what each column is. Throws Error{kBadInput} for a number past the largest double.
  // The columns in late() must then be collected into `texts`.
  void settle(const std::string& where);
  std::vector<size_t> late() const;
  Table finish();

  std::vector<std::string> names;
  std::vector<ColumnFacts> facts;
  std::vector<size_t> stored;                      // columns that are kept as numbers for now
  std::vector<size_t> sniffed;                     // columns known to be text from the start
  std::vector<std::shared_ptr<TextColumn>> texts;  // one a column, null for numbers
  int64_t rows = 0;

 private:
  StoreOptions store_;
  std::unique_ptr<RowStore> numbers_;
};

// Throws Error{kBadInput} naming the first name that comes twice.
void require_distinct_names(const std::vector<std::string>& names, const std::string& where);

}  // namespace sluice
