// The parts a page is put together from. Each section becomes HTML that reads without a script and, where a script draws it, a JSON
// object that the script reads.
#pragma once
#include <string>
#include <string_view>

#include "sluice/report/report.h"

namespace sluice::page {

// Compiled in from page.js and page.css, which explorer/build.sh makes.
struct Asset {
  std::string_view text;
  std::string_view sha256;  // 64 hexadecimal digits
};
extern const Asset kScript;
extern const Asset kStyle;

enum class Width { kFull, kHalf };

struct Part {
  std::string body;            // HTML without the heading
  std::string kind;            // the section's class: "table", "scatter", ...
  std::string data;            // JSON object for the script, or empty
  Width width = Width::kFull;  // half: may share a line with its neighbour
};

Part part_of(const ReportText& section);
Part part_of(const ReportTable& section);
Part part_of(const ReportPairs& section);
Part part_of(const ReportRowAccount& section);
Part part_of(const ReportScatter& section);
Part part_of(const ReportCurve& section);
Part part_of(const ReportBars& section);
Part part_of(const ReportHistogram& section);
Part part_of(const ReportTree& section);
Part part_of(const ReportContactSheet& section);
Part part_of(const ReportFlow& section);

// `<NAME>escaped text</NAME>`, or nothing where the text is empty.
std::string element(std::string_view tag, std::string_view text, std::string_view css_class = {});

// A table; the script gives its columns buttons that sort, and to a searchable one a box that filters.
enum class Lookup { kNone, kSort, kSearch };
std::string table_html(const std::vector<std::string>& header, const std::vector<std::vector<ReportCell>>& rows, Lookup lookup);

// Numbers for people that share their decimals where they are of like size.
std::vector<std::string> column_of_numbers(const std::vector<double>& values);

// About `count` round numbers in [low, high], ascending, and a text for each.
struct Tick {
  double at = 0;
  std::string text;
};
std::vector<Tick> ticks(double low, double high, int count);

// A drawing that needs no script and fits any width: `shapes` on a square of 1000 x 1000 that is stretched to the field, `texts` at
// percentages of it, where letters keep their shape. `rule`: the texts left of the field.
std::string figure_html(std::string_view css_class, const std::string& label, const std::string& rule, const std::string& shapes,
                        const std::string& texts);
// A coordinate of that square, or of percentages: two decimals.
std::string coordinate(double value);

// The colour of a label: an attribute for an SVG mark or a swatch. Labels from 20 on cycle through hues; the script does the same.
std::string label_color(int32_t label);

// Throws Error{kBug}: the caller filled the report wrongly.
[[noreturn]] void misfit(const std::string& title, const std::string& what);

}  // namespace sluice::page
