// From the words of a command to rows an algorithm can take: reads the table, sets label and id aside, chooses the feature columns,
// deals with what is missing, measures, and brings the rows into memory where the budget allows.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sluice/core/context.h"
#include "sluice/core/table.h"
#include "sluice/io/read_options.h"
#include "sluice/pipeline/json.h"

namespace sluice {

enum class NanPolicy { kRefuse, kDrop, kImpute };

struct TfidfModel;
struct TextFeatures;

// A column whose words make the rows (text_input.h).
struct TextOptions {
  std::string column;                          // "": the rows are numbers
  std::map<std::string, std::string> params;   // those of TfidfParams that were given
  std::shared_ptr<const TfidfModel> fitted{};  // of a model; null: fitted on these texts
};

struct InputOptions {
  std::vector<std::string> inputs;
  ReadOptions read;
  std::vector<std::string> columns;  // by name or number; empty: all that are left
  std::vector<std::string> exclude;
  std::string label;  // a column, else a file
  std::string id;
  std::string weight;  // a column of weights >= 0
  NanPolicy nan = NanPolicy::kRefuse;
  std::string dtype;  // "", "float32", "float64"
  TextOptions text;
};

// Every input row is kept, dropped for a reason, or rejected by its reader.
struct RowAccount {
  int64_t in = 0;
  int64_t kept = 0;
  int64_t rejected = 0;
  std::map<std::string, int64_t> dropped;
  Json json() const;
  void check() const;  // Error{kBug} if the numbers do not add up
};

struct Labels {
  std::vector<int64_t> values;     // one a kept row
  std::vector<std::string> names;  // of the values, or empty
};

struct Dataset {
  std::shared_ptr<Source> rows;  // the features of the kept rows, measured
  std::vector<int64_t> kept;     // input row numbers of the kept rows; empty: all
  std::optional<Labels> labels;
  std::shared_ptr<TextColumn> ids;  // of all input rows, or null
  std::string id_name;
  RowAccount account;
  std::string content;                         // hash of the input values as they were read
  std::shared_ptr<const TextFeatures> text{};  // where the input is a column of text

  int64_t input_row(int64_t kept_row) const { return kept.empty() ? kept_row : kept[static_cast<size_t>(kept_row)]; }
};

// The whole table with label, id and weight still in it; collective.
Table open_table(const InputOptions& options, Context& ctx);

// Errors are those of the readers, and kBadInput for columns that are not there or hold text, kNumerical for too large values.
Dataset open_dataset(const InputOptions& options, Context& ctx);
// The same from a table that is open already.
Dataset dataset_of(const Table& table, const InputOptions& options, Context& ctx);

// Column numbers of `table` left as features, in the order asked for.
std::vector<int64_t> feature_columns(const Table& table, const InputOptions& options);

// A label column or file as numbers, one an input row.
Labels read_label(const Table& table, const std::string& label, Context& ctx);

// A column of weights, one an input row: numbers >= 0, some above 0; else Error{kBadInput}.
std::vector<double> weight_column(const Table& table, const std::string& name);

// The rows in memory, as float32 where no value changes by it; the source itself where they would take more than the budget allows.
std::shared_ptr<Source> into_memory(std::shared_ptr<Source> source, Context& ctx);

// The names of the rows by --id or by a folder's file names, and the column's name; null if there are none.
std::shared_ptr<TextColumn> row_names(const Table& table, const InputOptions& options, std::string& column);

// The content hash of a whole table: numbers, texts and names.
std::string table_content(const Table& table, Context& ctx);

// A small numeric file whole (initial centres and the like).
Matrix<double> read_matrix_file(const std::string& path, Context& ctx);

}  // namespace sluice
