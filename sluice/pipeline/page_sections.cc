#include "sluice/pipeline/page_sections.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

namespace sluice {
namespace {

constexpr size_t kMostTableRows = 5000;
constexpr size_t kScreen = 14;  // rows of a table that can be overlooked without a search
constexpr int64_t kBars = 60;
constexpr int64_t kWideCounts = 200;  // counts beyond which a few rows would be too low to see on a plain scale

struct Range {
  double low = INFINITY, high = -INFINITY;
};

Range range_of(const RowColumn<double>& scores, Context& ctx) {
  Range range;
  for (int64_t row = scores.first_row(); row < scores.last_row(); ++row) {
    if (!std::isfinite(scores[row])) continue;
    range.low = std::min(range.low, scores[row]);
    range.high = std::max(range.high, scores[row]);
  }
  if (ctx.ranks() == 1) return range;
  Range all;
  for (const Bytes& part : ctx.comm->all_gather(std::as_bytes(std::span(&range, 1)))) {
    Range theirs;
    std::memcpy(&theirs, part.data(), sizeof theirs);
    all.low = std::min(all.low, theirs.low);
    all.high = std::max(all.high, theirs.high);
  }
  return all;
}

// Equal bars over the range; one of the edges is the threshold, where that lies within.
std::vector<double> edges_of(Range range, double threshold) {
  if (!(range.low < range.high)) range = {range.low - 0.5, range.high + 0.5};
  const double width = range.high / kBars - range.low / kBars;
  if (!(width > 0)) return {};
  const bool within = threshold > range.low && threshold < range.high;
  const double origin = within ? threshold : range.low;
  const auto below = static_cast<int64_t>(within ? std::ceil((threshold - range.low) / width) : 0);
  const auto above = static_cast<int64_t>(within ? std::ceil((range.high - threshold) / width) : kBars);
  std::vector<double> edges;
  for (int64_t i = -below; i <= above; ++i) {
    const double edge = origin + static_cast<double>(i) * width;
    if (edges.empty() || edge > edges.back()) edges.push_back(edge);
  }
  return edges;
}

std::vector<int64_t> counts_of(const RowColumn<double>& scores, const std::vector<double>& edges, Context& ctx) {
  std::vector<int64_t> counts(edges.size() - 1, 0);
  for (int64_t row = scores.first_row(); row < scores.last_row(); ++row) {
    if (!std::isfinite(scores[row])) continue;
    const auto bar = std::upper_bound(edges.begin(), edges.end(), scores[row]) - edges.begin() - 1;
    ++counts[static_cast<size_t>(std::clamp<int64_t>(bar, 0, static_cast<int64_t>(counts.size()) - 1))];
  }
  if (ctx.ranks() > 1) ctx.comm->sum(counts);
  return counts;
}

}  // namespace

ReportTable table_of(const OutcomeTable& table) {
  ReportTable out;
  out.title = table.title;
  out.header = table.header;
  out.note = table.note;
  out.searchable = table.rows.size() > kScreen;
  for (size_t i = 0; i < std::min(table.rows.size(), kMostTableRows); ++i) out.rows.push_back(table.rows[i]);
  if (table.rows.size() > kMostTableRows) {
    out.note += (out.note.empty() ? "The first " : " The first ") + report_number(static_cast<int64_t>(kMostTableRows)) + " of " +
                report_number(static_cast<int64_t>(table.rows.size())) + " rows.";
  }
  return out;
}

ReportCurve curve_of(const Figure& figure) {
  ReportCurve curve;
  curve.title = figure.title;
  curve.x_name = figure.x_name;
  curve.y_name = figure.y_name;
  curve.note = figure.note;
  if (figure.marked_x) curve.marked_x = *figure.marked_x;
  for (const Figure::Line& line : figure.lines) curve.lines.push_back({line.name, line.x, line.y, line.low, line.high});
  return curve;
}

ReportTree tree_of(const OutcomeTree& tree) {
  ReportTree out;
  out.title = "Condensed tree";
  out.level_name = tree.level_name;
  out.note = "A branch is as wide as it has rows; clusters have their colour, what they fall into a paler one.";
  for (const OutcomeTree::Branch& branch : tree.branches)
    out.branches.push_back({branch.parent, branch.birth, branch.death, branch.size, branch.label});
  return out;
}

std::optional<ReportHistogram> histogram_of(const Outcome& outcome, const Json& result, Context& ctx) {
  if (!outcome.scores) return std::nullopt;
  const Range range = range_of(*outcome.scores, ctx);
  if (!(range.low <= range.high) || !std::isfinite(range.high - range.low)) return std::nullopt;
  ReportHistogram out;
  out.title = "Scores";
  out.x_name = "score, higher is more anomalous";
  const auto threshold = result.find("threshold");
  if (threshold != result.end() && threshold->is_number()) {
    out.marked_x = threshold->get<double>();
    out.marked_name = "threshold";
  }
  out.edges = edges_of(range, out.marked_x);
  if (out.edges.size() < 2) return std::nullopt;
  out.counts = counts_of(*outcome.scores, out.edges, ctx);
  out.log_counts = *std::max_element(out.counts.begin(), out.counts.end()) > kWideCounts;
  return out;
}

}  // namespace sluice
