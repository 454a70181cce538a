#include "sluice/io/arrow_reader.h"

#include <algorithm>
#include <exception>

#include "sluice/core/error.h"
#include "sluice/core/plugin.h"
#include "sluice/io/arrow_plugin/arrow_table.h"
#include "sluice/io/columns.h"
#include "sluice/io/dense.h"
#include "sluice/io/encoding.h"
#include "sluice/io/file.h"

namespace sluice {
namespace {

// What Arrow may hold: Parquet needs two or three pages (1 MB each as a rule) of every column at a time. Twice the data's share is half of
// the whole budget (store_options).
int64_t arrow_memory(int64_t store) {
  return std::max(int64_t{128} << 20, store > (int64_t{1} << 60) ? store : 2 * store);
}

[[noreturn]] void refuse(const std::string& where, int32_t code, const std::string& why) {
  if (code == static_cast<int32_t>(ErrorCode::kMemory)) {
    fail(ErrorCode::kMemory, where, why, "raise --memory, or write the file in smaller pages, row groups or record batches");
  }
  fail(ErrorCode::kBadInput, where, why, "give a whole Parquet, Arrow or Feather file");
}

// An open file of the plug-in.
class ArrowFile {
 public:
  ArrowFile(const ArrowTable& table, const File& file, int64_t memory) : table_(table), where_(file.where()) {
    file_ = table_.open(file.duplicate(), arrow_memory(memory));
    if (file_ == nullptr) fail_with(nullptr);
    for (int64_t i = 0; i < table_.columns(file_); ++i) {
      ArrowColumn column;
      table_.column(file_, i, &column);
      columns.push_back(column);
    }
  }
  ~ArrowFile() {
    if (file_ != nullptr) table_.close(file_);
  }
  ArrowFile(const ArrowFile&) = delete;
  ArrowFile& operator=(const ArrowFile&) = delete;

  void begin(const std::vector<int64_t>& numbers, const std::vector<int64_t>& texts) {
    const auto count = [](const std::vector<int64_t>& v) { return static_cast<int64_t>(v.size()); };
    if (table_.begin(file_, numbers.data(), count(numbers), texts.data(), count(texts)) != 0) fail_with(file_);
  }
  // Rows; 0 at the end. `thrown` is what a call threw.
  int64_t next(const ArrowCalls& calls, const double** numbers, const std::exception_ptr& thrown) {
    const int64_t rows = table_.next(file_, &calls, numbers);
    if (thrown) std::rethrow_exception(thrown);
    if (rows < 0) fail_with(file_);
    return rows;
  }

  std::vector<ArrowColumn> columns;

 private:
  [[noreturn]] void fail_with(void* file) const {
    const char* text = "";
    const int32_t code = table_.failure(file, &text);
    refuse(where_, code, text);
  }
  const ArrowTable& table_;
  std::string where_;
  void* file_ = nullptr;
};

// The file's columns and the table's: a list is one there and several here.
struct Layout {
  std::vector<std::string> names;
  std::vector<bool> texts;
  std::vector<size_t> first;     // first column here of each there
  std::vector<size_t> origin;    // column there of each here
  std::vector<int64_t> numbers;  // columns there, by what they are read as
  std::vector<int64_t> text_columns;
};

Layout layout_of(const std::vector<ArrowColumn>& columns, const std::string& where) {
  Layout layout;
  int64_t width = 0;
  for (size_t c = 0; c < columns.size(); ++c) {
    const ArrowColumn& column = columns[c];
    const std::string name = *column.name == 0 ? "c" + std::to_string(c) : column.name;
    if (column.kind == ArrowKind::kOther) {
      fail(ErrorCode::kBadInput, where, "column '" + name + "' is of type " + column.type + ", which holds no plain numbers or text",
           "flatten it or leave it out when writing the file");
    }
    const bool text = column.kind == ArrowKind::kText;
    (text ? layout.text_columns : layout.numbers).push_back(static_cast<int64_t>(c));
    layout.first.push_back(layout.names.size());
    width += std::max<int64_t>(1, column.width);
    require_shape(where, 1, width);
    for (int64_t k = 0; k < std::max<int64_t>(1, column.width); ++k) {
      layout.names.push_back(column.width == 0 ? name : name + "_" + std::to_string(k));
      layout.texts.push_back(text);
      layout.origin.push_back(c);
    }
  }
  require_distinct_names(layout.names, where);
  return layout;
}

// What the plug-in's calls work on.
struct Reading {
  const std::string& where;
  const Layout& layout;
  TableColumns& columns;
  std::exception_ptr thrown;
  const ArrowCalls calls{this, add_text, note_beyond};

  static int add_text(void* context, int64_t column, const char* bytes, int64_t length) {
    auto& self = *static_cast<Reading*>(context);
    try {
      TextColumn& texts = *self.columns.texts[self.layout.first[static_cast<size_t>(column)]];
      if (length < 0) {
        texts.append_missing();
        return 0;
      }
      const std::string_view text(bytes, static_cast<size_t>(length));
      if (!valid_utf8(text)) self.refuse_bytes(column, texts.rows());
      texts.append(text);
      return 0;
    } catch (...) {
      self.thrown = std::current_exception();
      return 1;
    }
  }
  static void note_beyond(void* context, int64_t column) {
    auto& self = *static_cast<Reading*>(context);
    self.columns.facts[self.layout.first[static_cast<size_t>(column)]].beyond = true;
  }
  [[noreturn]] void refuse_bytes(int64_t column, int64_t row) const {
    fail(ErrorCode::kBadInput, where,
         "column '" + layout.names[layout.first[static_cast<size_t>(column)]] + "', row " + std::to_string(row) +
             " holds bytes that are not UTF-8",
         "write it as text in UTF-8, or leave the column out when writing the file");
  }
};

// What the file's types already say of the columns.
void set_facts(const std::vector<ArrowColumn>& columns, const Layout& layout, TableColumns& table) {
  for (size_t j = 0; j < layout.names.size(); ++j) {
    table.facts[j].whole = columns[layout.origin[j]].kind == ArrowKind::kInteger;
    table.facts[j].empty = false;
  }
}

// The columns of whole numbers past 2^53, read again as text.
void collect_late_texts(ArrowFile& file, Reading& reading) {
  std::vector<int64_t> late;
  for (const size_t j : reading.columns.late()) {
    const ArrowColumn& column = file.columns[reading.layout.origin[j]];
    if (column.width > 0) {
      fail(ErrorCode::kBadInput, reading.where,
           std::string("column '") + column.name + "' holds lists with whole numbers past 2^53, which no double holds",
           "write its values as float64, or smaller");
    }
    late.push_back(static_cast<int64_t>(reading.layout.origin[j]));
  }
  if (late.empty()) return;
  file.begin({}, late);
  const double* none = nullptr;
  int64_t rows = 0;
  while (const int64_t count = file.next(reading.calls, &none, reading.thrown)) rows += count;
  if (rows != reading.columns.rows) fail(ErrorCode::kIo, reading.where, "changed while it was read", "read it when nobody writes it");
}

}  // namespace

Table read_arrow(const std::string& path, const ReadOptions&, const StoreOptions& store) {
  const auto& table = plugin<ArrowTable>("arrow", "reading Parquet and Arrow files",
                                         "install pyarrow (pip install pyarrow) and build sluice with SLUICE_ARROW=ON");
  const std::shared_ptr<File> input = open_file(path, store);
  const std::string& where = input->where();
  ArrowFile file(table, *input, store.memory);
  if (file.columns.empty()) refuse(where, 0, "holds no columns");
  const Layout layout = layout_of(file.columns, where);
  TableColumns columns(layout.names, layout.texts, store);
  set_facts(file.columns, layout, columns);
  Reading reading{where, layout, columns, nullptr};
  file.begin(layout.numbers, layout.text_columns);
  const double* rows = nullptr;
  const size_t width = columns.stored.size();
  while (const int64_t count = file.next(reading.calls, &rows, reading.thrown)) {
    for (int64_t i = 0; i < count; ++i) columns.append(rows + static_cast<size_t>(i) * width);
  }
  if (columns.rows == 0) fail(ErrorCode::kBadInput, where, "holds columns and no rows", "give a file with at least one row");
  columns.settle(where);
  collect_late_texts(file, reading);
  return columns.finish();
}

}  // namespace sluice
