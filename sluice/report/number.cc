#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "sluice/report/page.h"
#include "sluice/report/report.h"

namespace sluice {
namespace {

// "1234567" -> "1,234,567"; takes the digits before any point.
std::string with_commas(std::string digits) {
  const size_t first = digits.starts_with('-') ? 1 : 0;
  const size_t point = std::min(digits.find('.'), digits.size());
  for (size_t i = point; i > first + 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

std::string printed(double value, std::chars_format format, int precision) {
  std::array<char, 64> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, format, precision);
  return {text.data(), end.ptr};
}

}  // namespace

std::string report_number(int64_t value) {
  std::array<char, 24> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value);
  return with_commas({text.data(), end.ptr});
}

std::string report_number(double value) {
  if (!std::isfinite(value)) return "–";
  const double size = std::fabs(value);
  if (size < 1e15 && value == std::trunc(value)) return report_number(static_cast<int64_t>(value));
  if (size >= 1e15 || size < 1e-4) return printed(value, std::chars_format::scientific, 3);
  int decimals = 4;
  for (double bound = 100; decimals > 1 && size >= bound; bound *= 10) --decimals;
  if (size < 0.1) decimals = size < 0.001 ? 7 : size < 0.01 ? 6 : 5;
  std::string text = printed(value, std::chars_format::fixed, decimals);
  while (text.ends_with('0')) text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  return with_commas(text);
}

// One number of decimals for a column, so that its points stand below each other, where its numbers are of like size.
std::vector<std::string> page::column_of_numbers(const std::vector<double>& values) {
  std::vector<std::string> out;
  size_t decimals = 0;
  double least = INFINITY, most = 0;
  for (const double value : values) {
    out.push_back(report_number(value));
    if (!std::isfinite(value) || value == 0) continue;
    least = std::min(least, std::fabs(value));
    most = std::max(most, std::fabs(value));
    const size_t point = out.back().find('.');
    if (point != std::string::npos) decimals = std::max(decimals, out.back().size() - point - 1);
  }
  if (decimals == 0 || least < 1e-4 || most >= 1e15 || most > 1e6 * least) return out;
  for (size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(values[i])) out[i] = with_commas(printed(values[i], std::chars_format::fixed, static_cast<int>(decimals)));
  }
  return out;
}

std::vector<page::Tick> page::ticks(double low, double high, int count) {
  const double span = high - low;
  if (!(span > 0) || !std::isfinite(span)) return {};
  const double raw = span / std::max(1, count);
  double step = 1;
  while (step * 10 <= raw) step *= 10;
  while (step > raw) step /= 10;
  for (const double times : {2.0, 2.5, 2.0}) {  // 1, 2, 5, 10
    if (step < raw * (1 - 1e-9)) step *= times;
  }
  std::vector<double> at;
  for (double i = std::ceil(low / step - 1e-9); i * step <= high + step * 1e-9 && at.size() < 50; ++i)
    at.push_back(i * step + 0.0);  // no minus zero
  const std::vector<std::string> texts = column_of_numbers(at);
  std::vector<Tick> out;
  for (size_t i = 0; i < at.size(); ++i) out.push_back({at[i], texts[i]});
  return out;
}

}  // namespace sluice
