// Numbers to text and back, the same in every locale: shortest round trip out, the whole text in.
#pragma once
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace sluice {

// "nan", "inf", "-inf" for what is not finite.
inline std::string to_text(double value) {
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}
inline std::string to_text(int64_t value) {
  return std::to_string(value);
}

template <class T>
std::optional<T> parse_number(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// `text` as a JSON string with its quotes; invalid UTF-8 passes as it is.
std::string json_quoted(std::string_view text);
// A JSON number, null for what is not finite.
inline std::string json_number(double value) {
  return std::isfinite(value) ? to_text(value) : "null";
}
// The nearest of `known` by edit distance, or "" if none is near.
std::string closest(std::string_view word, const std::vector<std::string>& known);
// "400M", "1.5G", "123456" (powers of 1024) to bytes.
std::optional<int64_t> parse_size(std::string_view text);

}  // namespace sluice
