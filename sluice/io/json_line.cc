#include "sluice/io/json_line.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "sluice/core/error.h"
#include "sluice/io/dense.h"

namespace sluice {
namespace {

std::string shortest(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

// Takes the parser's events. Objects in objects and lists in lists are refused where they begin, so depth is never more than two.
class CellTaker final : public nlohmann::json_sax<nlohmann::json> {
 public:
  CellTaker(const std::string& where, std::vector<JsonCell>& cells) : where_(where), cells_(cells) { cells_.clear(); }

  bool null() override {
    if (in_list_) cell().list.push_back(std::numeric_limits<double>::quiet_NaN());
    return in_object();
  }
  bool boolean(bool value) override { return number(value ? 1 : 0, value ? "true" : "false", false); }
  bool number_integer(number_integer_t value) override {
    return number(static_cast<double>(value), std::to_string(value), value > kMaxExactInteger || value < -kMaxExactInteger);
  }
  bool number_unsigned(number_unsigned_t value) override {
    return number(static_cast<double>(value), std::to_string(value), value > static_cast<uint64_t>(kMaxExactInteger));
  }
  // `written` is what stands in the line, but for the point, which is the locale's; only whole numbers past 64 bits have none.
  bool number_float(number_float_t value, const string_t& written) override {
    const bool whole = written.find_first_not_of("-0123456789") == std::string::npos;
    return number(value, whole ? written : shortest(value), whole);
  }
  bool string(string_t& value) override {
    if (in_list_) refuse("holds a list of texts in '" + cell().key + "'", "lists must hold numbers");
    in_object();
    cell().kind = JsonKind::kText;
    cell().text = std::move(value);
    return true;
  }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override {
    if (started_) refuse("holds an object inside an object", "flatten it: one level of keys a line");
    started_ = true;
    return true;
  }
  bool key(string_t& name) override {
    if (cells_.size() == kMaxTextColumns)
      refuse("has more than " + std::to_string(kMaxTextColumns) + " keys", "give such wide rows as .npy");
    cells_.emplace_back();
    cells_.back().key = std::move(name);
    return true;
  }
  bool end_object() override {
    std::vector<std::string_view> keys;
    for (const JsonCell& one : cells_) keys.push_back(one.key);
    std::sort(keys.begin(), keys.end());
    const auto twice = std::adjacent_find(keys.begin(), keys.end());
    if (twice != keys.end()) refuse("holds the key '" + std::string(*twice) + "' twice", "each key may come once a line");
    return true;
  }
  bool start_array(std::size_t) override {
    if (in_list_) refuse("holds a list inside a list in '" + cell().key + "'", "lists must hold numbers");
    in_object();
    in_list_ = true;
    cell().kind = JsonKind::kList;
    return true;
  }
  bool end_array() override {
    in_list_ = false;
    if (cell().list.empty()) refuse("holds an empty list in '" + cell().key + "'", "write null for a missing list");
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception& error) override {
    if (error.id == 406) refuse("holds a number past the largest double", "scale the column");
    refuse("is not valid JSON at byte " + std::to_string(position) + " of the line", "write one JSON object a line, in UTF-8");
  }

 private:
  [[noreturn]] void refuse(const std::string& why, const std::string& remedy) const { fail(ErrorCode::kBadInput, where_, why, remedy); }
  JsonCell& cell() { return cells_.back(); }
  bool in_object() const {
    if (!started_) refuse("is not a JSON object", "write one JSON object a line");
    return true;
  }
  bool number(double value, std::string written, bool beyond_exact) {
    in_object();
    if (in_list_) {
      if (beyond_exact)
        refuse("holds a whole number past 2^53 in the list '" + cell().key + "'",
               "no float64 holds it exactly: write it as a decimal number");
      if (cell().list.size() == kMaxTextColumns)
        refuse("has a list of more than " + std::to_string(kMaxTextColumns) + " numbers", "give such wide rows as .npy");
      cell().list.push_back(value);
      return true;
    }
    cell().kind = JsonKind::kNumber;
    cell().number = value;
    cell().text = std::move(written);
    cell().beyond_exact = beyond_exact;
    return true;
  }

  const std::string& where_;
  std::vector<JsonCell>& cells_;
  bool started_ = false;
  bool in_list_ = false;
};

}  // namespace

void parse_json_line(std::string_view line, const std::string& where, std::vector<JsonCell>& cells) {
  CellTaker taker(where, cells);
  nlohmann::json::sax_parse(line.begin(), line.end(), &taker);
}

}  // namespace sluice
