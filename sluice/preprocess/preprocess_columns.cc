#include "sluice/preprocess/preprocess_columns.h"

#include <algorithm>
#include <limits>
#include <set>

#include "sluice/core/table_rows.h"

namespace sluice {
namespace {

[[noreturn]] void unusable(const std::string& where, const std::string& what, const std::string& remedy) {
  fail(ErrorCode::kBadInput, where, what, remedy);
}

// A column of numbers as the text its cells would be.
std::shared_ptr<const TextColumn> as_text(const Source& numbers, int64_t col) {
  auto out = std::make_shared<TextColumn>();
  BlockBuffer buffer;
  std::vector<double> scratch(static_cast<size_t>(numbers.cols()));
  for (int64_t at = 0; at < numbers.rows(); at += 4096) {
    const MatrixBlock block = numbers.read(at, std::min<int64_t>(4096, numbers.rows() - at), buffer);
    for (int64_t i = 0; i < block.rows; ++i) {
      const double x = block.row(i, scratch.data())[col];
      if (x != x) {
        out->append_missing();
      } else {
        out->append(to_text(x));
      }
    }
  }
  return out;
}

// The first cell that is not a number, for the message.
std::string first_text(const TextColumn& column) {
  for (int64_t i = 0; i < column.rows(); ++i) {
    if (!column.at(i).empty() && !parse_number<double>(column.at(i)))
      return "row " + std::to_string(i) + " holds '" + std::string(column.at(i).substr(0, 40)) + "'";
  }
  return "it is a column of texts";
}

const TableColumn* find_column(const Table& table, const std::string& name) {
  for (const TableColumn& column : table.columns) {
    if (column.name == name) return &column;
  }
  return nullptr;
}

}  // namespace

void require_usable(const Table& table, std::span<const int64_t> columns, Context& ctx) {
  if (table.rows == 0) unusable("input", "it has no rows", "give a table with at least one");
  if (table.numbers != nullptr && !table.numbers->stats.measured) table.numbers->stats = measure(*table.numbers, ctx);
  std::set<std::string> names;
  for (const int64_t number : columns) {
    const TableColumn& column = table.columns[static_cast<size_t>(number)];
    if (!names.insert(column.name).second) unusable("column " + column.name, "two columns have this name", "rename one of them");
    if (column.beyond_double)
      unusable("column " + column.name, "it holds whole numbers beyond 2^53, which no number of ours holds exactly",
               "name it with --id, or leave it out with --exclude");
    if (column.type == ColumnType::kText) continue;
    const ColumnStatistics& c = table.numbers->stats.columns[static_cast<size_t>(column.index)];
    if (c.infinite == 0) continue;
    unusable("row " + std::to_string(c.first_infinite) + ", column " + column.name,
             std::to_string(c.infinite) + " infinite values, the first here", "replace them, or leave the column out with --exclude");
  }
}

BoundColumns bind_columns(const std::vector<PreprocessInput>& inputs, const Table& table, Context& ctx) {
  BoundColumns bound;
  std::string missing;
  std::vector<int64_t> used;
  for (const PreprocessInput& in : inputs) {
    bound.number.push_back(-1);
    bound.texts.emplace_back();
    if (!in.used) continue;
    const TableColumn* column = find_column(table, in.name);
    if (column == nullptr) {
      missing += (missing.empty() ? "" : ", ") + in.name;
      continue;
    }
    used.push_back(column - table.columns.data());
  }
  if (!missing.empty())
    unusable("input", "it lacks columns that the model was fitted on: " + missing, "give a table with the same columns");
  require_usable(table, used, ctx);
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].used) continue;
    const TableColumn& column = *find_column(table, inputs[i].name);
    if (!inputs[i].text && column.type == ColumnType::kText) {
      const TextColumn& text = *table.texts[static_cast<size_t>(column.index)];
      unusable("column " + column.name, "the model was fitted on numbers here, and " + first_text(text), "mend the cell, or fit again");
    }
    if (!inputs[i].text) {
      bound.number[i] = column.index;
    } else if (column.type == ColumnType::kText) {
      bound.texts[i] = table.texts[static_cast<size_t>(column.index)];
    } else {
      bound.texts[i] = as_text(*table.numbers, column.index);
    }
  }
  return bound;
}

void encode_columns(const std::vector<PreprocessInput>& inputs, BoundColumns& bound) {
  bound.codes.assign(inputs.size(), nullptr);
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (bound.texts[i] == nullptr) continue;
    bound.codes[i] =
        std::make_shared<const std::vector<int32_t>>(level_codes(*bound.texts[i], inputs[i].levels, inputs[i].other, inputs[i].fill_text));
  }
}

RowsView numbers_view(const std::vector<PreprocessInput>& inputs, const BoundColumns& bound, const Table& table, KeptRows kept,
                      bool filled) {
  std::vector<ViewColumn> columns;
  std::vector<std::string> names;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].used || bound.number[i] < 0) continue;
    ViewColumn column;
    column.number = bound.number[i];
    if (filled) column.fill = inputs[i].fill;
    columns.push_back(column);
    names.push_back(inputs[i].name);
  }
  RowsView view(table.numbers, table.rows, std::move(kept), std::move(columns));
  view.names = std::move(names);
  return view;
}

RowsView output_view(const PreprocessModel& model, const BoundColumns& bound, const Table& table, KeptRows kept) {
  const bool fills = model.params.impute != Impute::kDrop && model.params.impute != Impute::kRefuse;
  std::vector<ViewColumn> columns;
  std::vector<std::string> names;
  for (const PreprocessOutput& out : model.outputs) {
    const auto i = static_cast<size_t>(out.input);
    const PreprocessInput& in = model.inputs[i];
    ViewColumn column;
    if (in.text) {
      column.codes = bound.codes[i];
      column.level = static_cast<int32_t>(out.level);
      column.unknown = static_cast<int32_t>(in.levels.size());
    } else {
      column.number = bound.number[i];
      if (fills) column.fill = in.fill;
      if (model.params.outliers == Outliers::kWinsorize) {
        column.low = in.low;
        column.high = in.high;
      }
    }
    column.center = out.center;
    column.scale = out.scale;
    columns.push_back(column);
    names.push_back(out.name);
  }
  RowsView view(table.numbers, table.rows, std::move(kept), std::move(columns));
  view.names = std::move(names);
  return view;
}

std::vector<GapRow> rows_with_gaps(const std::vector<PreprocessInput>& inputs, const BoundColumns& bound, const Table& table,
                                   Context& ctx) {
  std::vector<std::vector<GapRow>> found(static_cast<size_t>(ctx.threads));
  each_row(table, ctx, [&](int worker, const double* numbers, int64_t row) {
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (!inputs[i].used) continue;
      const bool gap = bound.texts[i] != nullptr ? bound.texts[i]->at(row).empty() : numbers[bound.number[i]] != numbers[bound.number[i]];
      if (gap) {
        found[static_cast<size_t>(worker)].push_back({row, static_cast<int64_t>(i)});
        break;
      }
    }
  });
  std::vector<GapRow> all = gather_finds(found, ctx);
  std::sort(all.begin(), all.end(), [](const GapRow& a, const GapRow& b) { return a.row < b.row; });
  return all;
}

Table used_table(const std::vector<PreprocessInput>& inputs, const BoundColumns& bound, const Table& table) {
  Table out;
  out.rows = table.rows;
  int64_t numeric = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].used && bound.number[i] >= 0) ++numeric;
    if (inputs[i].used && bound.texts[i] != nullptr) out.texts.push_back(std::const_pointer_cast<TextColumn>(bound.texts[i]));
  }
  if (numeric == 0) return out;
  const bool all = numeric == table.numbers->cols();
  out.numbers = all ? table.numbers : std::make_shared<RowsView>(numbers_view(inputs, bound, table, nullptr, false));
  return out;
}

bool changes_nothing(const PreprocessModel& model, const BoundColumns& bound, const Table& table) {
  if (table.numbers == nullptr || static_cast<int64_t>(model.outputs.size()) != table.numbers->cols()) return false;
  for (size_t o = 0; o < model.outputs.size(); ++o) {
    const PreprocessOutput& out = model.outputs[o];
    const auto i = static_cast<size_t>(out.input);
    const PreprocessInput& in = model.inputs[i];
    const ColumnStatistics& c = table.numbers->stats.columns[o];
    if (in.text || bound.number[i] != static_cast<int64_t>(o) || out.center != 0 || out.scale != 1 || c.missing > 0) return false;
    if (model.params.outliers == Outliers::kWinsorize && (c.min < in.low || c.max > in.high)) return false;
    if (!table.numbers->names.empty() && table.numbers->names[o] != out.name) return false;
  }
  return true;
}

std::shared_ptr<Source> output_rows(const PreprocessModel& model, const BoundColumns& bound, const Table& table, KeptRows kept,
                                    Context& ctx) {
  if (kept == nullptr && changes_nothing(model, bound, table)) {
    if (table.numbers->names.empty()) {
      for (const PreprocessOutput& out : model.outputs) table.numbers->names.push_back(out.name);
    }
    return table.numbers;
  }
  return write_rows(output_view(model, bound, table, std::move(kept)), ctx);
}

std::string beyond_text(const PreprocessInput& in, double value) {
  return "column " + in.name + " is " + to_text(value) + ", beyond [" + to_text(in.low) + ", " + to_text(in.high) + "]";
}

KeptRows without(const KeptRows& kept, int64_t rows, const std::vector<int64_t>& dropped) {
  if (dropped.empty()) return kept;
  auto left = std::make_shared<std::vector<int64_t>>();
  left->reserve((kept != nullptr ? kept->size() : static_cast<size_t>(rows)) - dropped.size());
  size_t at = 0;
  const int64_t n = kept != nullptr ? static_cast<int64_t>(kept->size()) : rows;
  for (int64_t i = 0; i < n; ++i) {
    const int64_t row = kept != nullptr ? (*kept)[static_cast<size_t>(i)] : i;
    if (at < dropped.size() && dropped[at] == row) {
      ++at;
    } else {
      left->push_back(row);
    }
  }
  return left;
}

}  // namespace sluice
