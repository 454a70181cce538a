#include <algorithm>
#include <cmath>

#include "sluice/core/text.h"
#include "sluice/preprocess/profile.h"

namespace sluice {
namespace {

// Six digits: enough to read, and the same on every machine.
std::string brief(double x) {
  if (!std::isfinite(x)) return x != x ? "-" : to_text(x);
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, x, std::chars_format::general, 6).ptr};
}

const char* type_name(ColumnType type) {
  return type == ColumnType::kReal ? "real" : type == ColumnType::kInteger ? "integer" : "text";
}

// One line and not too long; what a terminal might take for a command is left out.
std::string shown(const std::string& text, size_t most) {
  std::string out;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) out += c;
  }
  if (out.size() <= most) return out;
  size_t cut = most - 3;
  while (cut > 0 && (static_cast<unsigned char>(out[cut]) & 0xc0) == 0x80) --cut;  // not inside a character
  return out.substr(0, cut) + "...";
}

using Rows = std::vector<std::vector<std::string>>;

std::string aligned(const Rows& rows) {
  std::vector<size_t> width;
  const auto letters = [](const std::string& s) {
    return static_cast<size_t>(std::count_if(s.begin(), s.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
  };
  for (const auto& row : rows) {
    width.resize(std::max(width.size(), row.size()), 0);
    for (size_t i = 0; i < row.size(); ++i) width[i] = std::max(width[i], letters(row[i]));
  }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string pad(width[i] - letters(row[i]), ' ');
      line += (i == 0 ? "" : "  ") + (i < 2 ? row[i] + pad : pad + row[i]);  // name and type to the left, numbers to the right
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

}  // namespace

std::string profile_text(const Profile& profile) {
  Rows table = {{"column", "type", "missing", "distinct", "min", "5%", "25%", "50%", "75%", "95%", "max", "mean", "std"}};
  std::string frequent, suspicious;
  for (const ColumnProfile& c : profile.columns) {
    const std::string name = shown(c.name, 32);
    std::vector<std::string> row = {name, type_name(c.type), std::to_string(c.missing),
                                    (c.distinct_exact ? "" : ">= ") + std::to_string(c.distinct)};
    if (c.type != ColumnType::kText) {
      for (const double q : c.quantiles) row.push_back(brief(q));
      row.push_back(brief(c.mean));
      row.push_back(brief(c.deviation));
    }
    table.push_back(std::move(row));
    if (!c.frequent.empty() && c.frequent[0].count > 1) {
      frequent += "  " + name + ":";
      for (const FrequentValue& v : c.frequent) frequent += " " + shown(v.value, 24) + " (" + std::to_string(v.count) + ")";
      frequent += "\n";
    }
    if (c.constant) suspicious += "  " + name + ": constant\n";
    for (const std::string& why : c.suspicious) suspicious += "  " + name + ": " + shown(why, 200) + "\n";
  }
  std::string out = std::to_string(profile.rows) + " rows, " + std::to_string(profile.columns.size()) + " columns, " +
                    std::to_string(profile.duplicate_rows) + " rows equal to an earlier one";
  if (profile.rejected > 0) out += ", " + std::to_string(profile.rejected) + " could not be read";
  out += "\n\n" + aligned(table);
  if (!frequent.empty()) out += "\nmost frequent values\n" + frequent;
  if (!suspicious.empty()) out += "\nworth a look\n" + suspicious;
  return out;
}

}  // namespace sluice
