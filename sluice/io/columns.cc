#include "sluice/io/columns.h"

#include <unordered_set>

#include "sluice/core/error.h"
#include "sluice/io/views.h"

namespace sluice {

void require_distinct_names(const std::vector<std::string>& names, const std::string& where) {
  std::unordered_set<std::string_view> seen;
  for (const std::string& name : names) {
    if (!seen.insert(name).second) {
      fail(ErrorCode::kBadInput, where, "names two columns '" + name + "'", "rename one; if the file has no header say --no-header");
    }
  }
}

TableColumns::TableColumns(std::vector<std::string> column_names, const std::vector<bool>& texts_known, const StoreOptions& store)
    : names(std::move(column_names)), facts(names.size()), texts(names.size()), store_(store) {
  for (size_t j = 0; j < names.size(); ++j) {
    if (j < texts_known.size() && texts_known[j]) {
      facts[j].text = true;
      texts[j] = std::make_shared<TextColumn>(store.memory);
      sniffed.push_back(j);
    } else {
      stored.push_back(j);
    }
  }
  if (!stored.empty()) numbers_ = std::make_unique<RowStore>(static_cast<int64_t>(stored.size()), store);
}

void TableColumns::append(const double* row) {
  if (numbers_ != nullptr) numbers_->append(row);
  ++rows;
}

void TableColumns::settle(const std::string& where) {
  for (const size_t j : stored) {
    ColumnFacts& fact = facts[j];
    fact.beyond = fact.beyond && fact.whole && !fact.text;
    if (!fact.overflow.empty() && !fact.text && !fact.beyond) {
      fail(ErrorCode::kBadInput, fact.overflow, "holds a number past the largest double in column '" + names[j] + "'",
           "scale the column, or write inf where infinity is meant");
    }
    if (fact.text || fact.beyond) texts[j] = std::make_shared<TextColumn>(store_.memory);
  }
  if (names.empty()) fail(ErrorCode::kBadInput, where, "holds no columns", "give a file with at least one column");
}

std::vector<size_t> TableColumns::late() const {
  std::vector<size_t> columns;
  for (const size_t j : stored) {
    if (texts[j] != nullptr) columns.push_back(j);
  }
  return columns;
}

Table TableColumns::finish() {
  Table table;
  table.rows = rows;
  std::vector<int64_t> picked;
  std::vector<std::string> numeric;
  size_t k = 0;  // place in `stored`
  for (size_t j = 0; j < names.size(); ++j) {
    const bool is_stored = k < stored.size() && stored[k] == j;
    TableColumn column{names[j], ColumnType::kText, static_cast<int64_t>(table.texts.size()), facts[j].beyond};
    if (texts[j] != nullptr) {
      table.texts.push_back(texts[j]);
    } else {
      column.type = facts[j].whole && !facts[j].empty ? ColumnType::kInteger : ColumnType::kReal;
      column.index = static_cast<int64_t>(picked.size());
      picked.push_back(static_cast<int64_t>(k));
      numeric.push_back(names[j]);
    }
    if (is_stored) ++k;
    table.columns.push_back(std::move(column));
  }
  if (picked.empty()) return table;
  table.numbers = numbers_->finish();
  if (picked.size() < stored.size()) table.numbers = std::make_shared<PickedColumns>(std::move(table.numbers), std::move(picked));
  table.numbers->names = std::move(numeric);
  return table;
}

}  // namespace sluice
