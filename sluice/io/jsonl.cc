#include "sluice/io/jsonl.h"

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "sluice/core/error.h"
#include "sluice/io/cell.h"
#include "sluice/io/columns.h"
#include "sluice/io/dense.h"
#include "sluice/io/json_line.h"
#include "sluice/io/line_reader.h"

namespace sluice {
namespace {

// The objects of all files, one after another.
class JsonRows {
 public:
  JsonRows(const std::vector<TextFile>& files, const std::string& encoding, const Context& ctx)
      : files_(files), encoding_(encoding), ctx_(ctx) {}

  bool next() {
    std::string_view line;
    for (;;) {
      if (lines_ == nullptr) {
        if (file_ == files_.size()) return false;
        const TextFile& text = files_[file_++];
        lines_ = std::make_unique<LineReader>(open_text(text, encoding_), text.file->where());
      }
      if (!lines_->next(line))
        lines_.reset();
      else if (line.find_first_not_of(" \t\r") != std::string_view::npos)
        break;
    }
    if (++rows_ % 4096 == 0 && ctx_.stopped()) fail(ErrorCode::kInterrupted, where(), "stopped on request", "run the same command again");
    parse_json_line(line, where(), cells_);
    return true;
  }
  const std::vector<JsonCell>& cells() const { return cells_; }
  std::string where() const { return lines_->where(); }

 private:
  const std::vector<TextFile>& files_;
  const std::string& encoding_;
  const Context& ctx_;
  std::unique_ptr<LineReader> lines_;
  std::vector<JsonCell> cells_;
  size_t file_ = 0;
  int64_t rows_ = 0;
};

// What the first pass finds of a key.
struct Key {
  std::string name;
  ColumnFacts facts;
  size_t list = 0;      // length of its lists; 0 for single cells
  bool single = false;  // a number or a text was seen
  size_t first_column = 0;
};

struct Schema {
  std::vector<Key> keys;
  std::unordered_map<std::string, size_t> places;
  int64_t rows = 0;
};

void note(const JsonCell& cell, Key& key, const std::string& where) {
  if (cell.kind == JsonKind::kMissing) return;
  const bool list = cell.kind == JsonKind::kList;
  if (list ? key.single : key.list > 0)
    fail(ErrorCode::kBadInput, where, "holds both lists and single values in '" + key.name + "'", "make the key one or the other");
  if (list && key.list > 0 && key.list != cell.list.size()) {
    fail(ErrorCode::kBadInput, where,
         "holds a list of " + std::to_string(cell.list.size()) + " in '" + key.name + "' where " + std::to_string(key.list) +
             " are expected",
         "make all lists of a key equally long");
  }
  ColumnFacts& facts = key.facts;
  facts.empty = false;
  if (list) {
    key.list = cell.list.size();
    for (const double value : cell.list) facts.whole = facts.whole && (value != value || is_int64(value));
    return;
  }
  key.single = true;
  if (cell.kind == JsonKind::kText) {
    facts.text = true;
    return;
  }
  facts.beyond |= cell.beyond_exact;
  facts.whole = facts.whole && (cell.beyond_exact || is_int64(cell.number));
}

Schema find_schema(JsonRows rows) {
  Schema schema;
  while (rows.next()) {
    ++schema.rows;
    for (const JsonCell& cell : rows.cells()) {
      const auto [at, is_new] = schema.places.try_emplace(cell.key, schema.keys.size());
      if (is_new) schema.keys.push_back({cell.key, {}, 0, false, 0});
      note(cell, schema.keys[at->second], rows.where());
    }
  }
  return schema;
}

// The columns: one a key, or as many as its lists are long. Texts are known, so nothing is late.
TableColumns make_columns(Schema& schema, const std::string& where, const StoreOptions& store) {
  std::vector<std::string> names;
  std::vector<ColumnFacts> facts;
  std::vector<bool> texts;
  for (Key& key : schema.keys) {
    key.first_column = names.size();
    key.facts.beyond = key.facts.beyond && key.facts.whole && !key.facts.text;
    require_shape(where, schema.rows, static_cast<int64_t>(names.size() + key.list + 1));
    for (size_t i = 0; i < std::max<size_t>(1, key.list); ++i) {
      names.push_back(key.list == 0 ? key.name : key.name + "_" + std::to_string(i));
      facts.push_back(key.facts);
      texts.push_back(key.facts.text || key.facts.beyond);
    }
  }
  if (schema.rows == 0) fail(ErrorCode::kBadInput, where, "holds no rows", "give a file with at least one line");
  if (names.empty()) fail(ErrorCode::kBadInput, where, "holds no keys", "give objects with at least one key");
  require_distinct_names(names, where);
  TableColumns columns(std::move(names), texts, store);
  columns.facts = std::move(facts);
  return columns;
}

// Where a column's number stands in a stored row, or -1.
std::vector<int64_t> stored_places(const TableColumns& columns) {
  std::vector<int64_t> places(columns.names.size(), -1);
  for (size_t k = 0; k < columns.stored.size(); ++k) places[columns.stored[k]] = static_cast<int64_t>(k);
  return places;
}

[[noreturn]] void fail_changed(const std::string& where) {
  fail(ErrorCode::kIo, where, "changed while it was read", "read it when nobody writes it");
}

void fill(JsonRows rows, const Schema& schema, TableColumns& columns, const std::string& where) {
  const std::vector<int64_t> places = stored_places(columns);
  std::vector<double> row(columns.stored.size());
  std::vector<const JsonCell*> texts(columns.names.size());
  while (rows.next()) {
    std::fill(row.begin(), row.end(), std::numeric_limits<double>::quiet_NaN());
    std::fill(texts.begin(), texts.end(), nullptr);
    for (const JsonCell& cell : rows.cells()) {
      const auto at = schema.places.find(cell.key);
      if (at == schema.places.end()) fail_changed(where);
      const Key& key = schema.keys[at->second];
      const size_t j = key.first_column;
      if (cell.kind == JsonKind::kMissing) continue;
      if (cell.list.size() != key.list || (places[j] >= 0 && cell.kind == JsonKind::kText)) fail_changed(where);
      if (places[j] < 0)
        texts[j] = &cell;
      else if (cell.kind == JsonKind::kNumber)
        row[static_cast<size_t>(places[j])] = cell.number;
      else
        std::copy(cell.list.begin(), cell.list.end(), row.begin() + places[j]);
    }
    for (const size_t j : columns.sniffed) {
      if (texts[j] == nullptr)
        columns.texts[j]->append_missing();
      else
        columns.append_text(j, texts[j]->text, [&] { return rows.where(); });
    }
    columns.append(row.data());
  }
}

}  // namespace

Table read_jsonl(const std::vector<TextFile>& files, const std::string& encoding, const StoreOptions& store, const Context& ctx) {
  const std::string where = files.at(0).file->where();
  Schema schema = find_schema(JsonRows(files, encoding, ctx));
  TableColumns columns = make_columns(schema, where, store);
  fill(JsonRows(files, encoding, ctx), schema, columns, where);
  if (columns.rows != schema.rows) fail_changed(where);
  columns.settle(where);
  return columns.finish();
}

}  // namespace sluice
