// Histograms, as SVG without a script.
#include <algorithm>
#include <cmath>

#include "sluice/core/math.h"
#include "sluice/report/page.h"
#include "sluice/report/text.h"

namespace sluice::page {
namespace {

struct Heights {
  double top = 1;  // the count at the top of the field
  bool log = false;
  // Hundredths of the field, from its base. A logarithm starts at a half, so that one row can be seen.
  double of(double count) const {
    if (!log) return 100 * count / top;
    return count < 0.5 ? 0 : 100 * log64(2 * count) / log64(2 * top);
  }
};

Heights heights_of(const ReportHistogram& section) {
  int64_t most = 1;
  for (const int64_t count : section.counts) most = std::max(most, count);
  return {static_cast<double>(most) * (section.log_counts ? 1.3 : 1.04), section.log_counts};
}

std::vector<Tick> count_ticks(const Heights& heights) {
  std::vector<Tick> out;
  if (!heights.log) {
    for (Tick& tick : ticks(0, heights.top, 5)) {
      if (tick.at == std::floor(tick.at)) out.push_back(std::move(tick));
    }
    return out;
  }
  out.push_back({0, "0"});
  for (double at = 1; at <= heights.top; at *= 10) out.push_back({at, report_number(at)});
  return out;
}

// The name of the marked place stands above the field, on the side that has room.
std::string mark_html(const ReportHistogram& section, double x) {
  const std::string at = coordinate(x) + "%", name = section.marked_name.empty() ? section.x_name : section.marked_name;
  const char* anchor = x < 30 ? "start" : x > 70 ? "end" : "middle";
  return "<line class=\"mark\" x1=\"" + at + "\" x2=\"" + at + "\" y1=\"0\" y2=\"100%\"/><text class=\"mark-name\" x=\"" + at +
         "\" dy=\"-.6em\" text-anchor=\"" + anchor + "\">" + html(name + " " + report_number(section.marked_x)) + "</text>\n";
}

std::string values_html(const ReportHistogram& section) {
  std::vector<std::vector<ReportCell>> rows;
  for (size_t i = 0; i < section.counts.size(); ++i) rows.push_back({section.edges[i], section.edges[i + 1], section.counts[i]});
  return "<details><summary>Values</summary>\n" + table_html({"from", "to", "rows"}, rows, Lookup::kSort) + "</details>\n";
}

void check(const ReportHistogram& section) {
  if (section.counts.empty() || section.edges.size() != section.counts.size() + 1)
    misfit(section.title, "its columns do not fit each other");
  for (size_t i = 0; i < section.counts.size(); ++i) {
    if (!(section.edges[i] < section.edges[i + 1]) || section.counts[i] < 0) misfit(section.title, "its bars are in no order");
  }
  if (!std::isfinite(section.edges.back() - section.edges.front())) misfit(section.title, "its edges are not finite");
}

}  // namespace

Part part_of(const ReportHistogram& section) {
  check(section);
  const Heights heights = heights_of(section);
  double low = section.edges.front(), high = section.edges.back();
  const bool marked = std::isfinite(section.marked_x);
  if (marked) {
    low = std::min(low, section.marked_x);
    high = std::max(high, section.marked_x);
  }
  const auto across = [&](double x) { return 100 * (x - low) / (high - low); };
  std::string rule, shapes, texts;
  for (const Tick& tick : count_ticks(heights)) {
    const std::string y = coordinate(100 - heights.of(tick.at)) + "%";
    rule += "<text x=\"100%\" y=\"" + y + "\" dy=\".35em\" text-anchor=\"end\">" + tick.text + "</text>";
    shapes += "<path class=\"" + std::string(tick.at == 0 ? "axis" : "grid") + "\" d=\"M0 " + coordinate(1000 - 10 * heights.of(tick.at)) +
              "H1000\"/>\n";
  }
  for (size_t i = 0; i < section.counts.size(); ++i) {
    if (section.counts[i] == 0) continue;
    const double from = section.edges[i], to = section.edges[i + 1];
    const bool beyond = marked && from + (to - from) / 2 > section.marked_x;
    const std::string words = report_number(from) + " to " + report_number(to) + ": " + report_number(section.counts[i]) + " rows";
    shapes += "<path class=\"" + std::string(beyond ? "beyond" : "plain") + "\" d=\"M" + coordinate(10 * across(from)) + " 1000V" +
              coordinate(1000 - 10 * heights.of(static_cast<double>(section.counts[i]))) + "H" + coordinate(10 * across(to)) +
              "V1000Z\"><title>" + words + "</title></path>\n";
  }
  for (const Tick& tick : ticks(low, high, 5)) {
    texts += "<text x=\"" + coordinate(across(tick.at)) + "%\" y=\"100%\" dy=\"1.5em\" text-anchor=\"middle\">" + tick.text + "</text>";
  }
  texts += "<text class=\"axis-name\" x=\"100%\" y=\"100%\" dy=\"3em\" text-anchor=\"end\">" + html(section.x_name) + "</text>\n";
  if (marked) texts += mark_html(section, across(section.marked_x));
  rule += "<text class=\"axis-name\" x=\"0\" dy=\"-.6em\">" + std::string(section.log_counts ? "rows, log" : "rows") + "</text>";
  return {figure_html("histogram-plot", section.title + ": rows by " + section.x_name, rule, shapes, texts) + values_html(section) +
              element("p", section.note, "note"),
          "histogram",
          {},
          Width::kHalf};
}

}  // namespace sluice::page
