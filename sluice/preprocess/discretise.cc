#include "sluice/preprocess/discretise.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <unordered_map>

#include "sluice/core/error.h"
#include "sluice/core/quantiles.h"
#include "sluice/core/statistics.h"
#include "sluice/core/text.h"
#include "sluice/preprocess/encode.h"

namespace sluice {
namespace {

constexpr int64_t kStep = 4096;

// f(row, its numbers) in order; the numbers are null where the table has none.
template <class F>
void each_row_in_order(const Table& table, const F& f) {
  BlockBuffer buffer;
  const int64_t cols = table.numbers == nullptr ? 0 : table.numbers->cols();
  std::vector<double> scratch(static_cast<size_t>(cols));
  for (int64_t at = 0; at < table.rows; at += kStep) {
    const int64_t count = std::min(kStep, table.rows - at);
    if (cols == 0) {
      for (int64_t i = 0; i < count; ++i) f(at + i, nullptr);
      continue;
    }
    const MatrixBlock block = table.numbers->read(at, count, buffer);
    for (int64_t i = 0; i < count; ++i) f(at + i, block.row(i, scratch.data()));
  }
}

std::string number_text(double value, bool whole) {
  return whole && std::nearbyint(value) == value && std::fabs(value) < 0x1p63 ? to_text(static_cast<int64_t>(value)) : to_text(value);
}

// The different values of every column, while they are few: at most `most` + 1 of each.
std::vector<std::set<double>> few_values(const Table& table, size_t most) {
  std::vector<std::set<double>> values(static_cast<size_t>(table.numbers->cols()));
  each_row_in_order(table, [&](int64_t, const double* row) {
    for (size_t j = 0; j < values.size(); ++j) {
      if (!std::isnan(row[j]) && values[j].size() <= most) values[j].insert(row[j] == 0 ? 0.0 : row[j]);
    }
  });
  return values;
}

size_t bin_of(double value, const ColumnBins& bins) {
  const auto at = bins.values ? std::lower_bound(bins.edges.begin(), bins.edges.end(), value)
                              : std::upper_bound(bins.edges.begin(), bins.edges.end(), value);
  return static_cast<size_t>(at - bins.edges.begin());
}

std::vector<std::string> bin_names(const ColumnBins& bins, bool whole) {
  std::vector<std::string> names;
  if (bins.values) {
    for (const double value : bins.edges) names.push_back(number_text(value, whole));
    return names;
  }
  std::string from = number_text(bins.low, whole);
  for (const double edge : bins.edges) {
    const std::string to = number_text(edge, whole);
    names.push_back("[" + from + ", " + to + ")");
    from = to;
  }
  const std::string to = number_text(bins.high, whole);
  names.push_back(from == to ? to : "[" + from + ", " + to + "]");
  return names;
}

struct ItemColumn {
  int32_t first = 0;           // its first item
  std::vector<int32_t> codes;  // of texts, a row each
};

void require_memory(int64_t bytes, const Context& ctx) {
  if (bytes > ctx.memory / 2)
    fail(ErrorCode::kMemory, "baskets", "the table has " + std::to_string(bytes >> 20) + " MiB as baskets, over half of the memory budget",
         "give a larger --memory, or fewer columns by --columns");
}

// A cell as text: what it is called.
std::string cell_text(const Table& table, const TableColumn& column, int64_t row, const double* numbers) {
  if (column.type == ColumnType::kText || column.beyond_double) return std::string(table.texts[static_cast<size_t>(column.index)]->at(row));
  const double value = numbers[column.index];
  return std::isnan(value) ? "" : number_text(value, column.type == ColumnType::kInteger);
}

}  // namespace

std::vector<ColumnBins> bin_columns(const Table& table, int64_t n_bins, BinStrategy strategy, Context& ctx) {
  if (table.numbers == nullptr) return {};
  Source& numbers = *table.numbers;
  if (!numbers.stats.measured) numbers.stats = measure(numbers, ctx);
  std::vector<double> q;
  for (int64_t b = 1; b < n_bins; ++b) q.push_back(static_cast<double>(b) / static_cast<double>(n_bins));
  Matrix<double> quantiles;
  if (strategy == BinStrategy::kQuantile) quantiles = column_quantiles(numbers, q, ctx);
  const std::vector<std::set<double>> few = few_values(table, static_cast<size_t>(n_bins));
  std::vector<ColumnBins> all(few.size());
  for (size_t j = 0; j < all.size(); ++j) {
    ColumnBins& bins = all[j];
    if (few[j].size() <= static_cast<size_t>(n_bins)) {
      bins.values = true;
      bins.edges.assign(few[j].begin(), few[j].end());
      continue;
    }
    bins.low = numbers.stats.columns[j].min;
    bins.high = numbers.stats.columns[j].max;
    for (size_t b = 0; b < q.size(); ++b) {
      const double edge = strategy == BinStrategy::kQuantile ? quantiles(static_cast<int64_t>(b), static_cast<int64_t>(j))
                                                             : bins.low + (bins.high - bins.low) * q[b];
      if (std::isfinite(edge) && edge > bins.low && edge <= bins.high && (bins.edges.empty() || edge > bins.edges.back()))
        bins.edges.push_back(edge);
    }
  }
  return all;
}

BasketSet table_baskets(const Table& table, int64_t n_bins, BinStrategy strategy, Context& ctx) {
  require_memory(table.rows * (static_cast<int64_t>(table.columns.size()) * 8 + 8), ctx);
  const std::vector<ColumnBins> bins = bin_columns(table, n_bins, strategy, ctx);
  BasketSet set;
  std::vector<ItemColumn> columns;
  for (const TableColumn& column : table.columns) {
    ItemColumn items;
    items.first = static_cast<int32_t>(set.names.size());
    std::vector<std::string> values;
    if (column.type == ColumnType::kText || column.beyond_double) {
      const TextColumn& texts = *table.texts[static_cast<size_t>(column.index)];
      for (const auto& [level, count] : level_counts(texts, {})) values.push_back(level);
      items.codes = level_codes(texts, values, false, "");
    } else {
      values = bin_names(bins[static_cast<size_t>(column.index)], column.type == ColumnType::kInteger);
    }
    for (const std::string& value : values) set.names.push_back(column.name + "=" + value);
    columns.push_back(std::move(items));
  }
  for (size_t i = 0; i < set.names.size(); ++i) set.numbers.push_back(std::to_string(i));
  set.offsets.reserve(static_cast<size_t>(table.rows) + 1);
  each_row_in_order(table, [&](int64_t row, const double* numbers) {
    for (size_t c = 0; c < columns.size(); ++c) {
      const ItemColumn& items = columns[c];
      if (!items.codes.empty()) {
        const int32_t code = items.codes[static_cast<size_t>(row)];
        if (code >= 0) set.items.push_back(items.first + code);
      } else if (const auto at = static_cast<size_t>(table.columns[c].index); !std::isnan(numbers[at])) {
        set.items.push_back(items.first + static_cast<int32_t>(bin_of(numbers[at], bins[at])));
      }
    }
    set.offsets.push_back(static_cast<int64_t>(set.items.size()));
  });
  return set;
}

BasketSet long_baskets(const Table& table, int64_t transaction, int64_t item, Context& ctx) {
  require_memory(table.rows * 32, ctx);
  const TableColumn& by = table.columns[static_cast<size_t>(transaction)];
  const TableColumn& of = table.columns[static_cast<size_t>(item)];
  const bool whole = of.type == ColumnType::kInteger && !of.beyond_double;
  std::unordered_map<std::string, int64_t> baskets;
  std::map<std::string, int32_t> names;  // or, with `whole`, numbers as they are
  std::map<int64_t, int32_t> numbers;
  std::vector<std::pair<int64_t, int32_t*>> cells;  // basket and where its item's number will stand
  each_row_in_order(table, [&](int64_t row, const double* values) {
    const std::string key = cell_text(table, by, row, values);
    if (key.empty())
      fail(ErrorCode::kBadInput, "row " + std::to_string(row) + ", column " + by.name, "the transaction is missing",
           "name it in every row");
    const int64_t basket = baskets.try_emplace(key, static_cast<int64_t>(baskets.size())).first->second;
    const std::string text = cell_text(table, of, row, values);
    int32_t* place = nullptr;
    if (!text.empty()) place = whole ? &numbers[static_cast<int64_t>(values[of.index])] : &names[text];
    cells.emplace_back(basket, place);
  });
  BasketSet set;
  for (auto& [number, place] : numbers) {
    place = static_cast<int32_t>(set.numbers.size());
    set.numbers.push_back(std::to_string(number));
  }
  for (auto& [name, place] : names) {
    place = static_cast<int32_t>(set.numbers.size());
    set.numbers.push_back(std::to_string(place));
    set.names.push_back(name);
  }
  std::vector<int64_t> next(baskets.size() + 1);
  for (const auto& [basket, place] : cells) next[static_cast<size_t>(basket) + 1] += place != nullptr;
  for (size_t i = 1; i < next.size(); ++i) next[i] += next[i - 1];
  std::vector<int32_t> items(static_cast<size_t>(next.back()));
  std::vector<int64_t> ends = next;
  for (const auto& [basket, place] : cells) {
    if (place != nullptr) items[static_cast<size_t>(ends[static_cast<size_t>(basket)]++)] = *place;
  }
  for (size_t i = 0; i + 1 < next.size(); ++i) {
    const auto begin = items.begin() + next[i], end = items.begin() + next[i + 1];
    std::sort(begin, end);
    set.items.insert(set.items.end(), begin, std::unique(begin, end));
    set.offsets.push_back(static_cast<int64_t>(set.items.size()));
  }
  return set;
}

}  // namespace sluice
