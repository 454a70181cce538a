#include "sluice/pipeline/json.h"

#include <cmath>

namespace sluice {
namespace {

// A text as the library writes it, which replaces what is not UTF-8.
std::string quoted(const std::string& text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

void write(const Json& value, const std::string& indent, std::string& out) {
  const std::string deeper = indent + "  ";
  if (value.is_object()) {
    if (value.empty()) {
      out += "{}";
      return;
    }
    const char* lead = "{\n";
    for (const auto& [key, item] : value.items()) {
      out += lead + deeper + quoted(key) + ": ";
      write(item, deeper, out);
      lead = ",\n";
    }
    out += "\n" + indent + "}";
  } else if (value.is_array()) {
    const bool flat = value.empty() || !value.front().is_structured();
    const char* lead = "";
    out += "[";
    for (const Json& item : value) {
      out += lead;
      if (!flat) out += "\n" + deeper;
      write(item, deeper, out);
      lead = flat ? ", " : ",";
    }
    out += flat ? "]" : "\n" + indent + "]";
  } else if (value.is_number_float()) {
    out += json_number(value.get<double>());
  } else if (value.is_string()) {
    out += quoted(value.get<std::string>());
  } else {
    out += value.dump();
  }
}

}  // namespace

std::string to_json_text(const Json& value) {
  std::string out;
  write(value, "", out);
  return out + "\n";
}

Json to_json(const ResultKeys& keys) {
  Json object = Json::object();
  for (const auto& [key, text] : keys.all()) object[key] = Json::parse(text);
  return object;
}

}  // namespace sluice
