// What the fit and apply of preprocess.h share: finding the model's columns in a table, and the view that its steps make of them.
// Of use inside this folder only.
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "sluice/preprocess/preprocess.h"
#include "sluice/preprocess/rows_view.h"

namespace sluice {

// A model's inputs bound to a table.
struct BoundColumns {
  std::vector<int64_t> number;                                     // column of table.numbers, or -1, one an input
  std::vector<std::shared_ptr<const TextColumn>> texts;            // or null, one an input
  std::vector<std::shared_ptr<const std::vector<int32_t>>> codes;  // level codes of text inputs, made by encode_columns
};

using KeptRows = std::shared_ptr<const std::vector<int64_t>>;  // null: all

// Refuses what no step can use: no rows, infinite values, integers beyond 2^53 in the named columns. Measures table.numbers if needed.
void require_usable(const Table& table, std::span<const int64_t> columns, Context& ctx);

// Finds each used input by its name. A column of whole numbers stands in for a text column (as its digits), not the other way round.
BoundColumns bind_columns(const std::vector<PreprocessInput>& inputs, const Table& table, Context& ctx);

// The codes of every used text input's rows.
void encode_columns(const std::vector<PreprocessInput>& inputs, BoundColumns& bound);

// The numeric inputs (those used, in order), filled and limited: what steps 2 and 3 look at. `filled`: with the model's fill values.
RowsView numbers_view(const std::vector<PreprocessInput>& inputs, const BoundColumns& bound, const Table& table, KeptRows kept,
                      bool filled);

// The output columns.
RowsView output_view(const PreprocessModel& model, const BoundColumns& bound, const Table& table, KeptRows kept);

// The rows that have a gap in a used input, ascending, each with its first such input. Every rank gets all.
struct GapRow {
  int64_t row = 0;
  int64_t input = 0;
};
std::vector<GapRow> rows_with_gaps(const std::vector<PreprocessInput>& inputs, const BoundColumns& bound, const Table& table, Context& ctx);

// The table's used inputs alone, as find_duplicates wants them.
Table used_table(const std::vector<PreprocessInput>& inputs, const BoundColumns& bound, const Table& table);

// Whether the output columns are the table's numbers as they are (whole: all of them, in order).
bool changes_nothing(const PreprocessModel& model, const BoundColumns& bound, const Table& table);

// The output's rows: the table's own numbers where nothing changes, else written anew. Collective.
std::shared_ptr<Source> output_rows(const PreprocessModel& model, const BoundColumns& bound, const Table& table, KeptRows kept,
                                    Context& ctx);

// "column x is 17, beyond [1, 9]"
std::string beyond_text(const PreprocessInput& in, double value);

// Takes the (ascending) rows out of `kept`.
KeptRows without(const KeptRows& kept, int64_t rows, const std::vector<int64_t>& dropped);

}  // namespace sluice
