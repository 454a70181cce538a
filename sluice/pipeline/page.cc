#include "sluice/pipeline/page.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "sluice/metrics/internal.h"
#include "sluice/pipeline/files.h"
#include "sluice/pipeline/page_scatter.h"
#include "sluice/pipeline/page_sections.h"
#include "sluice/pipeline/topics.h"

namespace sluice {
namespace {

std::string plain(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.is_number_float() ? report_number(value.get<double>()) : value.dump();
}

ReportBars sizes_of(const Json& sizes) {
  ReportBars bars;
  bars.title = "Cluster sizes";
  bars.unit = "rows";
  for (size_t c = 0; c < sizes.size() && c < static_cast<size_t>(kMostCenters); ++c) {
    bars.names.push_back("cluster " + std::to_string(c));
    bars.values.push_back(sizes[c].get<double>());
    bars.color.push_back(static_cast<int32_t>(c));
  }
  if (sizes.size() > bars.names.size())
    bars.note = "The first " + std::to_string(bars.names.size()) + " of " + std::to_string(sizes.size()) + " clusters.";
  return bars;
}

// Rows up to which a page computes silhouettes unasked.
constexpr int64_t kMostSilhouetteRows = 10'000;

ReportBars silhouettes_of(const InternalMeasures& measures) {
  ReportBars bars;
  bars.title = "Silhouette by cluster";
  bars.note = "Euclidean silhouette, 1 at best; all rows together " + report_number(measures.silhouette) + ".";
  for (size_t c = 0; c < measures.cluster_silhouettes.size() && c < static_cast<size_t>(kMostCenters); ++c) {
    bars.names.push_back("cluster " + std::to_string(measures.labels[c]));
    bars.values.push_back(measures.cluster_silhouettes[c]);
    bars.color.push_back(measures.labels[c]);
  }
  return bars;
}

ReportRowAccount account_of(const RowAccount& account) {
  ReportRowAccount out;
  out.rows = account.in;
  out.kept = account.kept;
  out.rejected = account.rejected;
  for (const auto& [reason, count] : account.dropped) out.dropped.emplace_back(reason, count);
  return out;
}

// "no row is flagged" becomes "No row is flagged."; a first word that is a name of letters and digits stays as it is.
std::string as_sentence(std::string note) {
  const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
  if (!note.empty() && letter(note[0]) && (note.size() == 1 || letter(note[1]) || note[1] == ' '))
    note[0] = static_cast<char>(note[0] - 'a' + 'A');
  return note + ".";
}

void add_facts(Report& page, const Json& result) {
  for (const auto& [key, value] : result.items()) {
    if (!value.is_number()) continue;
    std::string name = key;
    std::replace(name.begin(), name.end(), '_', ' ');
    page.facts.push_back({name, plain(value), ""});
  }
}

}  // namespace

ReportTable centers_table(const Matrix<double>& centers, const Source& rows) {
  ReportTable table;
  table.title = "Centres";
  table.header.push_back("cluster");
  const int64_t cols = std::min<int64_t>(centers.cols, 24);
  for (int64_t j = 0; j < cols; ++j) table.header.push_back(rows.name_of(j));
  for (int64_t c = 0; c < std::min(centers.rows, kMostCenters); ++c) {
    std::vector<ReportCell> cells{c};
    for (int64_t j = 0; j < cols; ++j) cells.emplace_back(centers(c, j));
    table.rows.push_back(std::move(cells));
  }
  if (cols < centers.cols)
    table.note = "The first " + std::to_string(cols) + " of " + std::to_string(centers.cols) + " columns; all are in centers.csv.";
  return table;
}

Report page_of(const Outcome& outcome, const std::string& command, const Json& summary, const Dataset& data, Context& ctx) {
  Report page;
  const Json& result = summary["result"];
  page.title = command;
  page.lead = report_number(data.rows->rows()) + " rows of " + report_number(data.rows->cols()) + " columns.";
  for (const std::string& note : outcome.notes) page.lead += " " + as_sentence(note);
  add_facts(page, result);
  page.sections.emplace_back(scatter_of(outcome, result, data, ctx));
  if (result.contains("cluster_sizes")) page.sections.emplace_back(sizes_of(result["cluster_sizes"]));
  if (outcome.labels && data.rows->rows() <= kMostSilhouetteRows && !data.rows->sparse()) {
    const InternalMeasures measures = internal_measures(*data.rows, *outcome.labels, SilhouetteKind::kEuclidean, ctx);
    if (std::isfinite(measures.silhouette)) page.sections.emplace_back(silhouettes_of(measures));
  }
  if (!outcome.tree.branches.empty()) page.sections.emplace_back(tree_of(outcome.tree));
  if (auto histogram = histogram_of(outcome, result, ctx)) page.sections.emplace_back(std::move(*histogram));
  for (const OutcomeTable& table : outcome.tables) page.sections.emplace_back(table_of(table));
  for (const Figure& figure : outcome.figures) page.sections.emplace_back(curve_of(figure));
  if (!outcome.centers.empty() && !data.rows->sparse()) page.sections.emplace_back(centers_table(outcome.centers, *data.rows));
  ReportPairs params;
  params.title = "Parameters";
  for (const auto& [key, value] : summary["params"].items()) params.pairs.emplace_back(key, plain(value));
  params.pairs.emplace_back("seed", std::to_string(ctx.seed));
  page.sections.emplace_back(std::move(params));
  page.sections.emplace_back(account_of(data.account));
  return page;
}

void write_page(Report page, const std::string& folder) {
  ReportPairs hashes;
  hashes.title = "Hashes (SHA-256)";
  for (const char* name : {"summary.json", "model.safetensors"}) {
    const std::string path = folder + "/" + name;
    std::error_code error;
    if (std::filesystem::exists(path, error)) hashes.pairs.emplace_back(name, digest_file(path).sha256);
  }
  page.sections.emplace_back(std::move(hashes));
  write_report(page, folder + "/report.html");
}

std::string text_of(const Stage& stage, const std::string& dir) {
  std::string text;
  size_t widest = 0;
  const Json& result = stage.summary["result"];
  for (const auto& [key, value] : result.items()) widest = std::max(widest, key.size());
  for (const auto& [key, value] : result.items()) {
    std::string shown = plain(value);
    if (shown.size() > 100) shown = shown.substr(0, 97) + "...";
    text += key + std::string(widest + 2 - key.size(), ' ') + shown + "\n";
  }
  text += topics_text(stage.outcome);
  for (const std::string& note : stage.outcome.notes) text += note + "\n";
  return text + "report: " + dir + "/report.html\n";
}

}  // namespace sluice
