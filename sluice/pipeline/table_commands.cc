#include "sluice/pipeline/table_commands.h"

#include <algorithm>
#include <filesystem>

#include "sluice/core/fold.h"
#include "sluice/io/format.h"
#include "sluice/io/views.h"
#include "sluice/pipeline/algorithm_command.h"
#include "sluice/pipeline/files.h"
#include "sluice/pipeline/output_dir.h"
#include "sluice/pipeline/page.h"
#include "sluice/pipeline/record.h"
#include "sluice/pipeline/row_files.h"
#include "sluice/preprocess/preprocess.h"
#include "sluice/preprocess/profile.h"

namespace sluice {
namespace {

const char* type_name(const ColumnProfile& column) {
  return column.type == ColumnType::kText ? "text" : column.type == ColumnType::kInteger ? "integer" : "real";
}

Json profile_json(const Profile& profile) {
  Json columns = Json::array();
  for (const ColumnProfile& column : profile.columns) {
    Json one = {{"name", column.name},
                {"type", type_name(column)},
                {"missing", column.missing},
                {"infinite", column.infinite},
                {"constant", column.constant},
                {"distinct", column.distinct},
                {"distinct_exact", column.distinct_exact},
                {"suspicious", column.suspicious}};
    if (column.type != ColumnType::kText) {
      one["mean"] = column.mean;
      one["deviation"] = column.deviation;
      one["quantiles"] = column.quantiles;
    }
    Json frequent = Json::array();
    for (const FrequentValue& value : column.frequent) frequent.push_back({{"value", value.value}, {"count", value.count}});
    one["frequent"] = frequent;
    columns.push_back(std::move(one));
  }
  return {{"rows", profile.rows}, {"rejected", profile.rejected}, {"duplicate_rows", profile.duplicate_rows}, {"columns", columns}};
}

ReportTable profile_table(const Profile& profile) {
  ReportTable table;
  table.title = "Columns";
  table.header = {"column", "type", "missing", "distinct", "min",  "5 %",       "25 %",
                  "median", "75 %", "95 %",    "max",      "mean", "deviation", "most frequent"};
  for (const ColumnProfile& column : profile.columns) {
    std::vector<ReportCell> row{column.name, std::string(type_name(column)), column.missing,
                                (column.distinct_exact ? "" : ">= ") + report_number(column.distinct)};
    for (const double q : column.quantiles) row.emplace_back(column.type == ColumnType::kText ? NAN : q);
    row.emplace_back(column.type == ColumnType::kText ? NAN : column.mean);
    row.emplace_back(column.type == ColumnType::kText ? NAN : column.deviation);
    std::string frequent;
    for (size_t i = 0; i < column.frequent.size() && i < 3; ++i) {
      frequent += (frequent.empty() ? "" : ", ") + column.frequent[i].value + " (" + report_number(column.frequent[i].count) + ")";
    }
    row.emplace_back(frequent);
    table.rows.push_back(std::move(row));
  }
  return table;
}

// A table's rows as a Dataset whose content hash covers numbers and texts.
Dataset described(const Table& table, std::shared_ptr<Source> rows, Context& ctx) {
  Dataset data;
  data.rows = std::move(rows);
  data.account.in = table.rows + table.n_rejected();
  data.account.rejected = table.n_rejected();
  data.account.kept = table.rows;
  data.content = table_content(table, ctx);
  return data;
}

}  // namespace

Table feature_table(const Table& table, const InputOptions& options) {
  Table out;
  out.rows = table.rows;
  out.rejected = table.rejected;
  std::vector<int64_t> numbers;
  std::vector<std::string> names;
  for (const int64_t at : feature_columns(table, options)) {
    TableColumn column = table.columns[static_cast<size_t>(at)];
    if (column.type == ColumnType::kText) {
      out.texts.push_back(table.texts[static_cast<size_t>(column.index)]);
      column.index = static_cast<int64_t>(out.texts.size()) - 1;
    } else {
      numbers.push_back(column.index);
      names.push_back(column.name);
      column.index = static_cast<int64_t>(numbers.size()) - 1;
    }
    out.columns.push_back(std::move(column));
  }
  if (out.columns.empty()) fail(ErrorCode::kBadInput, "columns", "no column is left", "name some with --columns");
  if (numbers.empty()) return out;
  bool all = static_cast<int64_t>(numbers.size()) == table.numbers->cols();
  for (size_t i = 0; i < numbers.size(); ++i) all &= numbers[i] == static_cast<int64_t>(i);
  out.numbers = all ? table.numbers : std::make_shared<PickedColumns>(table.numbers, numbers);
  out.numbers->names = names;
  return out;
}

RowsKind rows_kind(const InputOptions& options) {
  std::error_code error;
  if (std::filesystem::is_directory(options.inputs.front(), error)) return RowsKind::kImages;
  const std::string& name = options.inputs.front();
  if (options.read.format == "idx" || name.find("idx3-ubyte") != std::string::npos || name.ends_with(".idx") || name.ends_with(".idx.gz"))
    return RowsKind::kImages;
  return RowsKind::kTable;
}

Said profile_command(const Invocation& in, Context& ctx) {
  OutputDir out(out_dir(in), in.overwrite, ctx);
  ctx.spool_dir = in.spool.empty() ? out.scratch() : in.spool;
  const Table table = open_table(in.input, ctx);
  const Profile found = profile(table, ctx);
  const Dataset data = described(
      table, table.numbers != nullptr ? table.numbers : std::make_shared<MemorySource>(std::vector<double>{}, table.rows, 0), ctx);
  Json summary = summary_json("profile", Json::object(), data, profile_json(found));
  summary["input"]["columns"] = table.columns.size();
  write_record(out, summary, in, ctx);
  Report page;
  page.title = "profile";
  page.lead = report_number(found.rows) + " rows of " + report_number(static_cast<int64_t>(table.columns.size())) + " columns; " +
              report_number(found.duplicate_rows) + " rows equal an earlier one.";
  page.sections.emplace_back(profile_table(found));
  ReportTable suspicious;
  suspicious.title = "What looks wrong";
  suspicious.header = {"column", "finding"};
  for (const ColumnProfile& column : found.columns) {
    for (const std::string& finding : column.suspicious) suspicious.rows.push_back({column.name, finding});
  }
  page.sections.emplace_back(std::move(suspicious));
  on_root(ctx, [&] { write_page(page, out.path(".")); });
  out.commit(manifest_json(summary, ctx, data.content, data.account));
  return {summary, profile_text(found) + "report: " + out.dir() + "/report.html\n"};
}

namespace {

// Rows that preprocessing made, with their account, as a run's folder: X.npy, rows.npy, the record, the page, the manifest.
Said finish_prepared(const Invocation& in, OutputDir& out, const Json& params, const Table& features, const PreprocessRows& made,
                     const std::vector<std::string>& notes, Context& ctx) {
  Dataset data = described(features, made.rows, ctx);
  data.kept = made.kept_rows;
  data.account.kept = made.rows->rows();
  for (const RowFate& fate : made.dropped) ++data.account.dropped[std::string(fate.reason)];
  data.account.check();
  Outcome outcome;
  outcome.embedding_cols = made.rows->cols();
  outcome.embed = [](const MatrixBlock& rows, double* to) {
    for (int64_t i = 0; i < rows.rows; ++i) {
      const double* from = rows.row(i, to + i * rows.cols);
      if (from != to + i * rows.cols) std::copy(from, from + rows.cols, to + i * rows.cols);
    }
  };
  outcome.notes = notes;
  write_row_files(outcome, data, out.path("."), "off", ctx);
  on_root(ctx, [&] { std::filesystem::rename(out.path("embedding.npy"), out.path("X.npy")); });
  std::vector<std::string> names;
  for (int64_t j = 0; j < made.rows->cols(); ++j) names.push_back(made.rows->name_of(j));
  Stage stage;
  stage.summary = summary_json(in.command, params, data, {{"n_columns", made.rows->cols()}, {"columns", names}, {"notes", notes}});
  stage.summary["input"]["columns"] = features.columns.size();
  write_record(out, stage.summary, in, ctx);
  stage.page = page_of(outcome, in.command, stage.summary, data, ctx);
  stage.outcome = std::move(outcome);
  on_root(ctx, [&] { write_page(stage.page, out.path(".")); });
  out.commit(manifest_json(stage.summary, ctx, data.content, data.account));
  return {stage.summary, text_of(stage, out.dir())};
}

}  // namespace

Said preprocess_command(const Invocation& in, Context& ctx) {
  const auto params = params_from<PreprocessParams>(in.params);
  const Json params_as_json = params_json(param_infos<PreprocessParams>(), param_values(params));
  OutputDir out(out_dir(in), in.overwrite, ctx);
  ctx.spool_dir = in.spool.empty() ? out.scratch() : in.spool;
  const Table features = feature_table(open_table(in.input, ctx), in.input);
  in.times->lap("read");
  const PreprocessFit fit = preprocess_fit(features, params, ctx, rows_kind(in.input));
  in.times->lap("fit");
  on_root(ctx, [&] {
    ModelFile model = save_preprocess(fit.model);
    model.about["algorithm"] = "preprocess";
    write_file(out.path("model.safetensors"), encode_model(model));
  });
  return finish_prepared(in, out, params_as_json, features, {fit.rows, fit.kept_rows, fit.dropped}, fit.notes, ctx);
}

Said apply_preprocess(const Invocation& in, const ModelFile& file, const std::string& digest, Context& ctx) {
  const PreprocessModel model = load_preprocess(file);
  OutputDir out(out_dir(in), in.overwrite, ctx);
  ctx.spool_dir = in.spool.empty() ? out.scratch() : in.spool;
  const Table features = feature_table(open_table(in.input, ctx), in.input);
  return finish_prepared(in, out, {{"model", "sha256:" + digest}}, features, preprocess_rows(model, features, ctx), {}, ctx);
}

Said init_command(const Invocation& in, Context& ctx) {
  const Table table = open_table(in.input, ctx);
  InputOptions input = in.input;
  const Profile found = profile(table, ctx);
  std::string guessed_label;
  for (size_t i = 0; i < found.columns.size() && input.label.empty() && guessed_label.empty(); ++i) {
    const std::string& name = found.columns[i].name;
    if (name == "label" || name == "class" || name == "target" || name == "y") guessed_label = name;
  }
  if (input.label.empty()) input.label = guessed_label;
  for (size_t i = 0; i < found.columns.size() && input.id.empty(); ++i) {
    const std::string& name = found.columns[i].name;
    if (name == "id" || name == "ID" || name == "Id") input.id = name;
  }
  const Table features = feature_table(table, input);
  const PreprocessFit fit = preprocess_fit(features, PreprocessParams{}, ctx, rows_kind(input));
  int64_t missing = 0;
  for (const ColumnProfile& column : found.columns) missing += column.missing;
  std::string why_scale = fit.notes.empty() ? "decided by the data when it runs" : fit.notes.back();
  for (const std::string& note : fit.notes) {
    if (note.find("scale") != std::string::npos) why_scale = note;
  }
  std::string yaml = "# Proposed for " + json_quoted(in.input.inputs.front()) + ": " + report_number(table.rows) + " rows, " +
                     report_number(static_cast<int64_t>(table.columns.size())) + " columns.\n";
  yaml += "sluice: 1                                 # version of this file's format\n";
  yaml += "input:\n  path: " + json_quoted(in.input.inputs.front()) + "\n";
  if (!in.input.read.header) yaml += "  header: false                           # the first line holds data\n";
  if (!input.label.empty())
    yaml += "  label: " + json_quoted(input.label) + "   # " + (guessed_label.empty() ? "as asked for" : "named like a label") +
            ": never fitted on, only used to evaluate\n";
  if (!input.id.empty()) yaml += "  id: " + json_quoted(input.id) + "   # names the rows in every output\n";
  yaml += "seed: 0                                   # of every random choice\nstages:\n  preprocess:\n";
  yaml += "    scale: auto                           # " + why_scale + "\n";
  yaml += "    impute: median                        # " +
          (missing == 0 ? std::string("no cell is missing now; new rows may have gaps")
                        : report_number(missing) + " cells are missing; the median does not follow outliers") +
          "\n";
  yaml += std::string("    duplicates: ") + (found.duplicate_rows > 0 ? "drop" : "keep") + "                      # " +
          report_number(found.duplicate_rows) + " rows equal an earlier one\n";
  yaml += "  reduce: {method: auto}                  # " +
          std::string(fit.rows->cols() > 32 ? "PCA to 95 % of the variance: " + report_number(fit.rows->cols()) + " columns are many"
                                            : "off here: " + report_number(fit.rows->cols()) + " columns are few") +
          "\n";
  yaml += "  cluster: {method: kmeans, n_clusters: auto}   # k from a sweep against four nulls\n";
  yaml += "  decision: auto                          # cluster structure or not is measured\n";
  yaml += "  apply: {balance: true, dedup: true}     # weights by cluster; equal rows dropped, each with a kept witness\n";
  yaml +=
      "  rules: {method: eclat, min_support: 0.1, min_confidence: 0.8, max_length: 4, rules: true}   # only where there is no structure\n";
  yaml += "  generate: {method: gmm, augment: 0.5}   # a density, and half as many new rows drawn from it\n";
  yaml += "  anomaly: {method: isolation_forest, fdr: 0.05}   # rows that do not belong, marked; false alarms held to 5 % of the alerts\n";
  return {{{"command", "init"}, {"version", version()}, {"result", {{"pipeline", yaml}}}}, yaml};
}

}  // namespace sluice
