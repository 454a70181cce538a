#include "sluice/pipeline/verify_curated.h"

#include <filesystem>
#include <map>
#include <numeric>

#include "sluice/core/error.h"
#include "sluice/core/text.h"
#include "sluice/curate/curate.h"
#include "sluice/io/input.h"
#include "sluice/pipeline/files.h"
#include "sluice/pipeline/json.h"

namespace sluice {
namespace {

struct Dropped {
  int64_t witness = -1;
  double distance = 0;
};

// Of the ledger: which rows are kept, and those that apply dropped as duplicates.
struct Ledger {
  std::map<int64_t, Dropped> duplicates;
  std::vector<bool> kept;  // one an input row
};

bool is_there(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_regular_file(path, error);
}

Ledger read_ledger(const std::string& path, Context& ctx) {
  const Table table = read_table({path}, ReadOptions{}, store_options(ctx), ctx);
  const auto column = [&](const char* name) { return table.columns[static_cast<size_t>(table.find(name))]; };
  const TableColumn row = column("row"), witness = column("witness"), distance = column("distance");
  const auto text = [&](const char* name) {
    const TableColumn found = column(name);
    if (found.type != ColumnType::kText) return std::shared_ptr<TextColumn>();  // a column of gaps
    return table.texts[static_cast<size_t>(found.index)];
  };
  const auto fate = text("fate"), stage = text("stage"), reason = text("reason");
  Ledger out;
  if (fate == nullptr || row.type == ColumnType::kText || witness.type == ColumnType::kText || distance.type == ColumnType::kText)
    fail(ErrorCode::kBadModel, path, "it is no ledger of a run", "run the command again");
  for (int64_t i = 0; i < table.rows; ++i) {
    const std::vector<double> numbers = read_row(*table.numbers, i);
    const double number = numbers[static_cast<size_t>(row.index)];
    if (number != number) continue;  // rejected by the reader
    if (number != static_cast<double>(i)) fail(ErrorCode::kBadModel, path, "its rows do not stand in order", "run the command again");
    out.kept.push_back(fate->at(i) == "kept");
    if (out.kept.back() || stage == nullptr || reason == nullptr || stage->at(i) != "apply" || reason->at(i) != "duplicate") continue;
    const double by = numbers[static_cast<size_t>(witness.index)];
    out.duplicates[i] = {by >= 0 && by < static_cast<double>(table.rows) ? static_cast<int64_t>(by) : -1,
                         numbers[static_cast<size_t>(distance.index)]};
  }
  return out;
}

// The near rows of the ledger against the points that apply compared.
std::vector<std::string> check_points(const std::string& dir, const Ledger& ledger, double distance, Context& ctx) {
  const std::string path = dir + "/apply/points.npy";
  const Table table = read_table({path}, ReadOptions{}, store_options(ctx), ctx);
  const int64_t rows = table.rows;
  std::vector<int64_t> names(static_cast<size_t>(rows));
  std::iota(names.begin(), names.end(), int64_t{0});
  if (is_there(dir + "/apply/rows.npy")) names = read_labels(dir + "/apply/rows.npy").values;
  const std::vector<int64_t> clusters = read_labels(dir + "/cluster/labels.npy").values;
  if (static_cast<int64_t>(names.size()) != rows || static_cast<int64_t>(clusters.size()) != rows)
    return {"apply/points.npy: it holds " + to_text(rows) + " rows, not as many as cluster/labels.npy or apply/rows.npy"};
  std::map<int64_t, int64_t> place;
  for (int64_t i = 0; i < rows; ++i) place[names[static_cast<size_t>(i)]] = i;
  Witnesses found{std::vector<int64_t>(names.size(), -1), std::vector<double>(names.size(), 0.0)};
  for (const auto& [row, dropped] : ledger.duplicates) {
    const auto at = place.find(row), by = place.find(dropped.witness);
    if (at == place.end() || by == place.end())
      return {"rows " + to_text(row) + " and " + to_text(dropped.witness) + ": not both are in apply/points.npy"};
    found.row[static_cast<size_t>(at->second)] = by->second;
    found.distance[static_cast<size_t>(at->second)] = dropped.distance;
  }
  table.numbers->stats = measure(*table.numbers, ctx);
  const std::vector<int32_t> labels(clusters.begin(), clusters.end());
  return check_witnesses(*table.numbers, labels, found, names, distance, ctx);
}

}  // namespace

std::vector<std::string> verify_curated(const std::string& dir, Context& ctx) {
  const std::string path = dir + "/curated/ledger.csv", summary = dir + "/apply/summary.json";
  if (!is_there(path) || !is_there(summary)) return {};
  const Json said = Json::parse(read_text_file(summary), nullptr, false);
  if (!said.is_object() || !said.contains("params") || !said["params"].is_object() || !said["params"].contains("dedup_distance") ||
      !said["params"]["dedup_distance"].is_number())
    fail(ErrorCode::kBadModel, summary, "it does not say how duplicates were dropped", "run the command again");
  const Ledger ledger = read_ledger(path, ctx);
  for (const auto& [row, dropped] : ledger.duplicates) {
    if (dropped.witness >= 0 && dropped.witness < static_cast<int64_t>(ledger.kept.size()) &&
        ledger.kept[static_cast<size_t>(dropped.witness)])
      continue;
    return {"rows " + to_text(row) + " and " + to_text(dropped.witness) + ": the second, witness of the first, is not kept"};
  }
  if (!is_there(dir + "/apply/points.npy")) return {};
  return check_points(dir, ledger, said["params"]["dedup_distance"].get<double>(), ctx);
}

}  // namespace sluice
