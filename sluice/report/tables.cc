// Text, tables, pairs and the row account.
#include <cmath>

#include "sluice/core/error.h"
#include "sluice/report/page.h"
#include "sluice/report/text.h"

namespace sluice::page {
namespace {

bool is_number(const ReportCell& cell) {
  return !std::holds_alternative<std::string>(cell);
}

std::string number_html(const std::string& full, const std::string& shown) {
  const bool shortened = full.size() > shown.size();
  return "<td class=\"n\" data-v=\"" + full + (shortened ? "\" title=\"" + full : "") + "\">" + shown + "</td>";
}

// `shown` is the text of a double, made with its column in view.
std::string cell_html(const ReportCell& cell, const std::string& shown, bool heads_row) {
  if (const auto* whole = std::get_if<int64_t>(&cell)) return number_html(std::to_string(*whole), report_number(*whole));
  if (const auto* real = std::get_if<double>(&cell)) {
    return std::isfinite(*real) ? number_html(json(*real), shown) : "<td class=\"n\">" + shown + "</td>";
  }
  const std::string text = html(std::get<std::string>(cell));
  return heads_row ? "<th scope=\"row\">" + text + "</th>" : "<td>" + text + "</td>";
}

// Texts of the doubles of one column, row by row; of other cells, nothing.
std::vector<std::string> shown_doubles(const std::vector<std::vector<ReportCell>>& rows, size_t column) {
  std::vector<double> values;
  const auto is_double = [&](const auto& row) { return column < row.size() && std::holds_alternative<double>(row[column]); };
  for (const auto& row : rows) {
    if (is_double(row)) values.push_back(std::get<double>(row[column]));
  }
  const std::vector<std::string> texts = column_of_numbers(values);
  std::vector<std::string> out;
  size_t next = 0;
  for (const auto& row : rows) out.push_back(is_double(row) ? texts[next++] : std::string());
  return out;
}

// A column of numbers has its heading on the right, as its cells.
bool numeric_column(const std::vector<std::vector<ReportCell>>& rows, size_t column) {
  for (const auto& row : rows) {
    if (column < row.size() && !is_number(row[column])) return false;
  }
  return !rows.empty();
}

}  // namespace

void misfit(const std::string& title, const std::string& what) {
  fail(ErrorCode::kBug, "report section '" + title + "'", what, "please report this");
}

std::string element(std::string_view tag, std::string_view text, std::string_view css_class) {
  if (text.empty()) return {};
  std::string out = "<" + std::string(tag);
  if (!css_class.empty()) out += " class=\"" + std::string(css_class) + "\"";
  return out + ">" + html(text) + "</" + std::string(tag) + ">\n";
}

std::string table_html(const std::vector<std::string>& header, const std::vector<std::vector<ReportCell>>& rows, Lookup lookup) {
  const char* found_by = lookup == Lookup::kNone ? "" : lookup == Lookup::kSort ? " data-sort" : " data-sort data-search";
  std::string out = "<div class=\"scroll\"><table" + std::string(found_by) + ">\n<thead><tr>";
  std::vector<std::vector<std::string>> doubles;
  for (size_t i = 0; i < header.size(); ++i) {
    doubles.push_back(shown_doubles(rows, i));
    out += std::string("<th scope=\"col\"") + (numeric_column(rows, i) ? " class=\"n\">" : ">") + html(header[i]) + "</th>";
  }
  out += "</tr></thead>\n<tbody>\n";
  for (size_t r = 0; r < rows.size(); ++r) {
    const auto& row = rows[r];
    out += "<tr>";
    for (size_t i = 0; i < row.size(); ++i) out += cell_html(row[i], doubles[i][r], i == 0);
    for (size_t i = row.size(); i < header.size(); ++i) out += "<td></td>";
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

Part part_of(const ReportText& section) {
  std::string body;
  for (const std::string& paragraph : section.paragraphs) body += element("p", paragraph);
  return {body, "text", {}, Width::kFull};
}

Part part_of(const ReportTable& section) {
  for (const auto& row : section.rows) {
    if (row.size() > section.header.size()) misfit(section.title, "a row is longer than the header");
  }
  const bool narrow = section.header.size() <= 3;
  const Lookup lookup = section.rows.size() < 2 ? Lookup::kNone : section.searchable ? Lookup::kSearch : Lookup::kSort;
  return {table_html(section.header, section.rows, lookup) + element("p", section.note, "note"),
          "table",
          {},
          narrow ? Width::kHalf : Width::kFull};
}

Part part_of(const ReportPairs& section) {
  std::string body = "<dl class=\"pairs\">\n";
  bool wide = false;
  for (const auto& [name, text] : section.pairs) {
    body += "<div><dt>" + html(name) + "</dt><dd>" + html(text) + "</dd></div>\n";
    wide = wide || text.size() > 48;
  }
  return {body + "</dl>\n" + element("p", section.note, "note"), "pairs", {}, wide ? Width::kFull : Width::kHalf};
}

Part part_of(const ReportRowAccount& section) {
  int64_t sum = section.kept + section.rejected;
  std::vector<std::vector<ReportCell>> rows = {{std::string("kept"), section.kept}};
  for (const auto& [reason, count] : section.dropped) {
    rows.push_back({"dropped: " + reason, count});
    sum += count;
  }
  rows.push_back({std::string("rejected"), section.rejected});
  if (sum != section.rows) misfit(section.title, "the rows do not add up");
  for (auto& row : rows) {
    const auto count = static_cast<double>(std::get<int64_t>(row[1]));
    row.emplace_back(section.rows > 0 ? 100 * count / static_cast<double>(section.rows) : NAN);
  }
  std::string body = table_html({"rows", "count", "share (%)"}, rows, Lookup::kNone);
  const std::string total =
      "<tfoot><tr><th scope=\"row\">read</th><td class=\"n\">" + report_number(section.rows) + "</td><td></td></tr></tfoot>";
  body.insert(body.find("</tbody>") + 8, total);
  return {body + element("p", section.note, "note"), "account", {}, Width::kHalf};
}

}  // namespace sluice::page
