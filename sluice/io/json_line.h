// One line of JSON Lines as flat cells.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

enum class JsonKind : uint8_t { kMissing, kNumber, kText, kList };

struct JsonCell {
  std::string key;
  JsonKind kind = JsonKind::kMissing;
  double number = 0;
  std::string text;           // of strings, and of numbers and booleans as they would be written
  bool beyond_exact = false;  // a whole number past 2^53
  std::vector<double> list;   // NaN for null
};

// The cells of the object on a line, in its order. Throws Error{kBadInput} at `where`, see jsonl.h. `cells` is reused memory.
void parse_json_line(std::string_view line, const std::string& where, std::vector<JsonCell>& cells);

}  // namespace sluice
