// Text on its way into a page: mended to UTF-8, then escaped for where it goes. Nothing here trusts its input.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace sluice::page {

// Valid UTF-8 whatever comes in: each byte that is none becomes U+FFFD; control characters (tab and line feed stay) become their
// pictures (U+2400 + c), delete U+2421, so that a reader sees them and no parser stumbles.
std::string clean_utf8(std::string_view text);

// For element content and double-quoted attributes.
std::string html(std::string_view text);

// A JSON string with its quotes, safe inside a script element: < > & and U+2028/9 are \u escapes.
std::string json(std::string_view text);
// Shortest text that reads back as the same double; null where it is not finite.
std::string json(double value);

// A JSON string of the bytes as they lie in memory, base64.
std::string json_base64(std::span<const std::byte> bytes);
template <class T>
std::string json_column(std::span<const T> values) {
  return json_base64(std::as_bytes(values));
}

std::string base64(std::span<const std::byte> bytes);

}  // namespace sluice::page
