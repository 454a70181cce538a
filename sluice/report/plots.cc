// Bars, scatters, curves and contact sheets.
#include <algorithm>
#include <cmath>
#include <limits>

#include "sluice/report/page.h"
#include "sluice/report/text.h"

namespace sluice::page {
namespace {

constexpr int32_t kNamedColors = 20;
constexpr size_t kMostTabledPoints = 200;

std::string json_numbers(const std::vector<double>& values) {
  std::string out = "[";
  for (size_t i = 0; i < values.size(); ++i) out += (i ? "," : "") + json(values[i]);
  return out + "]";
}

std::string json_texts(const std::vector<std::string>& values) {
  std::string out = "[";
  for (size_t i = 0; i < values.size(); ++i) out += (i ? "," : "") + json(values[i]);
  return out + "]";
}

template <class T>
std::string column(const std::vector<T>& values) {
  return json_column(std::span<const T>(values));
}

std::string needs_script(const std::string& what) {
  return "<noscript><p class=\"note\">" + what + " is drawn by the page's script, which is switched off here.</p></noscript>\n";
}

// Where script is off, and for those who read tables rather than curves.
std::string curve_table(const ReportCurve& section) {
  std::vector<std::vector<ReportCell>> rows;
  for (const ReportLine& line : section.lines) {
    if (line.x.size() > kMostTabledPoints) return {};
    for (size_t i = 0; i < line.x.size(); ++i) {
      rows.push_back({line.name, line.x[i], line.y[i]});
      if (!line.low.empty()) rows.back().insert(rows.back().end(), {line.low[i], line.high[i]});
    }
  }
  std::vector<std::string> header = {"line", section.x_name, section.y_name};
  for (const ReportLine& line : section.lines) {
    if (!line.low.empty() && header.size() == 3) header.insert(header.end(), {"low", "high"});
  }
  return "<details><summary>Values</summary>\n" + table_html(header, rows, Lookup::kSort) + "</details>\n";
}

// Labels in the fewest bytes that hold them all, and how many those are.
std::string json_labels(const std::vector<int32_t>& labels) {
  const auto [low, high] = std::minmax_element(labels.begin(), labels.end());
  const auto fits = [&, least = low, most = high]<class T>(T) {
    return labels.empty() || (*least >= std::numeric_limits<T>::min() && *most <= std::numeric_limits<T>::max());
  };
  const auto narrowed = [&]<class T>(T) {
    return column(std::vector<T>(labels.begin(), labels.end())) + ",\"labelBytes\":" + std::to_string(sizeof(T));
  };
  return fits(int8_t{}) ? narrowed(int8_t{}) : fits(int16_t{}) ? narrowed(int16_t{}) : narrowed(int32_t{});
}

// Row numbers by what lies between two of them, see stepsOf in the script's data.ts: a byte or two each. Nothing for 0, 1, 2, ...
std::string json_rows(const std::vector<int64_t>& rows) {
  std::vector<uint8_t> out;
  bool plain = true;
  int64_t before = -1;
  for (const int64_t row : rows) {
    const int64_t step = row - before - 1;
    before = row;
    plain = plain && step == 0;
    auto code = static_cast<uint64_t>(step) << 1 ^ static_cast<uint64_t>(step >> 63);
    for (; code >= 128; code >>= 7) out.push_back(static_cast<uint8_t>(code | 128));
    out.push_back(static_cast<uint8_t>(code));
  }
  return plain ? "\"\"" : column(out);
}

// x, y, xx, xy, yy and the label of each, one after the other.
std::string json_ellipses(const ReportScatter& scatter) {
  std::vector<double> values;
  for (const ReportEllipse& e : scatter.ellipses) {
    for (const double value : {e.x, e.y, e.xx, e.xy, e.yy}) {
      if (!std::isfinite(value)) misfit(scatter.title, "an ellipse is not finite");
      values.push_back(value);
    }
    values.push_back(e.label);
  }
  return column(values);
}

// Shrinks by `factor`: each new pixel the rounded mean of a square of old ones, what is left at the edges cut off.
std::vector<uint8_t> shrunk(const std::vector<uint8_t>& pixels, int64_t width, int64_t height, int64_t channels, int64_t factor) {
  std::vector<uint8_t> out;
  out.reserve(static_cast<size_t>((width / factor) * (height / factor) * channels));
  for (int64_t y = 0; y + factor <= height; y += factor) {
    for (int64_t x = 0; x + factor <= width; x += factor) {
      for (int64_t c = 0; c < channels; ++c) {
        int64_t sum = factor * factor / 2;
        for (int64_t i = 0; i < factor; ++i) {
          for (int64_t j = 0; j < factor; ++j) sum += pixels[static_cast<size_t>(((y + i) * width + x + j) * channels + c)];
        }
        out.push_back(static_cast<uint8_t>(sum / (factor * factor)));
      }
    }
  }
  return out;
}

// {"rows":[...],"pixels":"one picture after the other"}
std::string json_images(const ReportContactSheet& sheet, const std::vector<ReportImage>& images, int64_t factor) {
  std::string rows = "[";
  std::vector<uint8_t> all;
  for (const ReportImage& image : images) {
    if (static_cast<int64_t>(image.pixels.size()) != sheet.width * sheet.height * sheet.channels) {
      misfit(sheet.title, "a picture does not have width x height x channels bytes");
    }
    const auto small = factor > 1 ? shrunk(image.pixels, sheet.width, sheet.height, sheet.channels, factor) : image.pixels;
    all.insert(all.end(), small.begin(), small.end());
    rows += (rows.size() > 1 ? "," : "") + std::to_string(image.row);
  }
  return "{\"rows\":" + rows + "],\"pixels\":" + column(all) + "}";
}

}  // namespace

std::string label_color(int32_t label) {
  if (label < 0) return " class=\"noise\"";
  if (label < kNamedColors) return " class=\"c" + std::to_string(label) + "\"";
  return " fill=\"hsl(" + std::to_string((int64_t{label} * 137) % 360) + ",50%,50%)\"";
}

Part part_of(const ReportScatter& s) {
  const size_t n = s.x.size();
  if (s.y.size() != n || (!s.label.empty() && s.label.size() != n) || (!s.row.empty() && s.row.size() != n) ||
      s.center_x.size() != s.center_y.size()) {
    misfit(s.title, "its columns differ in length");
  }
  std::string data = "{\"kind\":\"scatter\",\"title\":" + json(s.title) + ",\"xName\":" + json(s.x_name) + ",\"yName\":" + json(s.y_name);
  data += ",\"x\":" + column(s.x) + ",\"y\":" + column(s.y) + ",\"label\":" + json_labels(s.label) + ",\"row\":" + json_rows(s.row);
  data += ",\"ellipses\":" + json_ellipses(s);
  data += ",\"centerX\":" + column(s.center_x) + ",\"centerY\":" + column(s.center_y) + ",\"names\":" + json_texts(s.names);
  data += std::string(",\"sameScale\":") + (s.same_scale ? "true" : "false") + "}";
  return {"<div class=\"draw\"></div>\n" + needs_script("The scatter") + element("p", s.note, "note"), "scatter", data, Width::kFull};
}

Part part_of(const ReportCurve& section) {
  std::string lines;
  for (const ReportLine& line : section.lines) {
    const size_t n = line.x.size();
    if (line.y.size() != n || line.low.size() != line.high.size() || (!line.low.empty() && line.low.size() != n)) {
      misfit(section.title, "the columns of line '" + line.name + "' differ in length");
    }
    lines += (lines.empty() ? "{\"name\":" : ",{\"name\":") + json(line.name) + ",\"x\":" + json_numbers(line.x) +
             ",\"y\":" + json_numbers(line.y) + ",\"low\":" + json_numbers(line.low) + ",\"high\":" + json_numbers(line.high) + "}";
  }
  std::string data =
      "{\"kind\":\"curve\",\"title\":" + json(section.title) + ",\"xName\":" + json(section.x_name) + ",\"yName\":" + json(section.y_name);
  data += ",\"lines\":[" + lines + "],\"markedX\":" + json(section.marked_x) + ",\"markedName\":" + json(section.marked_name) + "}";
  return {"<div class=\"draw\"></div>\n" + curve_table(section) + element("p", section.note, "note"), "curve", data, Width::kHalf};
}

Part part_of(const ReportBars& section) {
  const size_t n = section.values.size();
  if (section.names.size() != n || (!section.color.empty() && section.color.size() != n)) {
    misfit(section.title, "its columns differ in length");
  }
  double low = 0, high = 0;
  for (const double v : section.values) {
    if (!std::isfinite(v)) continue;
    low = std::min(low, v);
    high = std::max(high, v);
  }
  const double span = high > low ? high - low : 1;
  const auto place = [&](double v) { return std::round((v - low) / span * 1e5) / 100; };  // 0 ... 1000, two decimals
  const std::vector<std::string> shown = column_of_numbers(section.values);
  std::string body = "<div class=\"scroll bars\"><table>\n<tbody>\n";
  for (size_t i = 0; i < n; ++i) {
    const double v = section.values[i];
    body += "<tr><th scope=\"row\">" + html(section.names[i]) + "</th><td class=\"bar\">";
    if (std::isfinite(v)) {
      const double from = place(std::min(v, 0.0)), to = place(std::max(v, 0.0));
      body += "<svg viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect x=\"" + json(from) + "\" width=\"" +
              json(to - from) + "\" height=\"10\"" + (section.color.empty() ? " class=\"plain\"" : label_color(section.color[i])) + "/>";
      if (low < 0) body += "<path class=\"zero\" d=\"M" + json(place(0)) + " 0V10\"/>";
      body += "</svg>";
    }
    body += "</td><td class=\"n\"" + (std::isfinite(v) ? " title=\"" + json(v) + "\"" : std::string()) + ">" + shown[i] +
            (section.unit.empty() || !std::isfinite(v) ? "" : " " + html(section.unit)) + "</td></tr>\n";
  }
  return {body + "</tbody></table></div>\n" + element("p", section.note, "note"), "bars-part", {}, Width::kHalf};
}

Part part_of(const ReportContactSheet& sheet) {
  if (sheet.width <= 0 || sheet.height <= 0 || (sheet.channels != 1 && sheet.channels != 3 && sheet.channels != 4)) {
    misfit(sheet.title, "pictures need a width, a height and 1, 3 or 4 channels");
  }
  // A picture much longer than wide keeps at least one pixel across.
  const int64_t factor = std::min((std::max(sheet.width, sheet.height) + 95) / 96, std::min(sheet.width, sheet.height));
  std::string groups;
  for (const ReportImageGroup& group : sheet.groups) {
    groups += (groups.empty() ? "{\"name\":" : ",{\"name\":") + json(group.name) + ",\"label\":" + std::to_string(group.label) +
              ",\"nearest\":" + json_images(sheet, group.nearest, factor) + ",\"border\":" + json_images(sheet, group.border, factor) + "}";
  }
  const std::string data = "{\"kind\":\"sheet\",\"title\":" + json(sheet.title) + ",\"width\":" + std::to_string(sheet.width / factor) +
                           ",\"height\":" + std::to_string(sheet.height / factor) + ",\"channels\":" + std::to_string(sheet.channels) +
                           ",\"groups\":[" + groups + "]}";
  return {"<div class=\"draw\"></div>\n" + needs_script("The contact sheet") + element("p", sheet.note, "note"), "sheet", data,
          Width::kFull};
}

}  // namespace sluice::page
