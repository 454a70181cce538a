// JSON as we write it: keys sorted, numbers by shortest round trip, two spaces of indentation, so equal content is equal bytes.
#pragma once
#include <nlohmann/json.hpp>
#include <string>

#include "sluice/core/outcome.h"

namespace sluice {

using Json = nlohmann::json;

// The text of `value`, ending in a newline. NaN and infinity become null. Bytes that are not UTF-8 become U+FFFD.
std::string to_json_text(const Json& value);

// The keys as one object.
Json to_json(const ResultKeys& keys);

}  // namespace sluice
