// Parameters are declared once: a struct of plain fields with one describe(visitor) that names each field, its range, and why.
//
//   struct KMeansParams {
//     int64_t n_clusters = 8;
//     std::optional<int64_t> n_init;                       // no value: "auto"
//     KMeansInit init = KMeansInit::kPlusPlus;
//     template <class Visitor> void describe(Visitor&& v) {
//       v(n_clusters, "n_clusters", Range<int64_t>{1, int64_t{1} << 31}, "Number of clusters.");
//       v(n_init, "n_init", Range<int64_t>{1, 1000}, "Restarts; auto while the work is small.", "1");   // last: scikit-learn's default
//       where it differs v(init, "init", Choices<KMeansInit>{{{"k-means++", KMeansInit::kPlusPlus}, {"random", KMeansInit::kRandom}}}, "How
//       to start.");
//     }
//   };
//
// Flags, Python keywords, pipeline keys, JSON and the docs table all come from it, by the functions below.
#pragma once
#include <functional>
#include <initializer_list>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/core/error.h"
#include "sluice/core/text.h"

namespace sluice {

template <class T>
struct Range {  // both ends belong to it
  T low;
  T high;
};
template <class E>
struct Choices {
  std::initializer_list<std::pair<const char*, E>> list;
};
struct ChoiceOrFile {  // one of a few words, else a path
  std::initializer_list<const char*> list;
};
struct Text {};      // any text
struct Flag {};      // true or false
struct FilePath {};  // a path; what counts is the file's content

// What is known of one parameter without its struct's type.
struct ParamInfo {
  std::string name;
  std::string type;          // integer, number, flag, choice, text, file; "or auto" where it may be left to us
  std::string default_json;  // as JSON
  std::string range;         // for people: "1 to 2147483648", or the choices
  std::vector<std::string> choices;
  std::string help;
  std::string sklearn_default;  // where it differs from ours
  bool is_flag = false;
  bool is_file = false;
};

namespace detail {

inline std::string limit_text(double value) {
  return std::isinf(value) ? (value < 0 ? "-inf" : "inf") : to_text(value);
}
inline std::string limit_text(int64_t value) {
  return to_text(value);
}

[[noreturn]] inline void bad_value(const char* name, std::string_view text, const std::string& wanted) {
  std::string flag = name;
  for (char& c : flag) c = c == '_' ? '-' : c;
  fail(ErrorCode::kUsage, "--" + flag, "'" + std::string(text) + "' is not a value for it", "give " + wanted);
}

// One field's JSON, text and description, by its type.
template <class T>
struct Field {
  static std::string json(const T& value, const Range<T>&) {
    if constexpr (std::is_floating_point_v<T>) return json_number(value);
    return to_text(static_cast<int64_t>(value));
  }
  static std::string wanted(const Range<T>& range) {
    using Wide = std::conditional_t<std::is_floating_point_v<T>, double, int64_t>;
    return limit_text(static_cast<Wide>(range.low)) + " to " + limit_text(static_cast<Wide>(range.high));
  }
  static void parse(T& value, const char* name, const Range<T>& range, std::string_view text) {
    const auto number = parse_number<T>(text);
    if (!number || !(*number >= range.low && *number <= range.high)) {
      bad_value(name, text, std::string(std::is_floating_point_v<T> ? "a number" : "a whole number") + " from " + wanted(range));
    }
    value = *number;
  }
  static void info(ParamInfo& info, const Range<T>& range) {
    info.type = std::is_floating_point_v<T> ? "number" : "integer";
    info.range = wanted(range);
  }

  static std::string json(const T& value, const Choices<T>& choices) {
    for (const auto& [name, choice] : choices.list) {
      if (choice == value) return json_quoted(name);
    }
    return "null";
  }
  static std::string wanted(const Choices<T>& choices) {
    std::string all;
    for (const auto& [name, choice] : choices.list) all += (all.empty() ? "" : " | ") + std::string(name);
    return all;
  }
  static void parse(T& value, const char* name, const Choices<T>& choices, std::string_view text) {
    for (const auto& [known, choice] : choices.list) {
      if (text == known) {
        value = choice;
        return;
      }
    }
    bad_value(name, text, wanted(choices));
  }
  static void info(ParamInfo& info, const Choices<T>& choices) {
    info.type = "choice";
    info.range = wanted(choices);
    for (const auto& [name, choice] : choices.list) info.choices.emplace_back(name);
  }
};

template <>
struct Field<std::string> {
  template <class C>
  static std::string json(const std::string& value, const C&) {
    return json_quoted(value);
  }
  template <class C>
  static void parse(std::string& value, const char*, const C&, std::string_view text) {
    value = std::string(text);
  }
  static void info(ParamInfo& info, const ChoiceOrFile& words) {
    info.type = "choice or file";
    info.is_file = true;
    for (const char* word : words.list) {
      info.range += (info.range.empty() ? "" : " | ") + std::string(word);
      info.choices.emplace_back(word);
    }
    info.range += " | FILE";
  }
  static void info(ParamInfo& info, const Text&) { info.type = "text"; }
  static void info(ParamInfo& info, const FilePath&) {
    info.type = "file";
    info.is_file = true;
  }
};

template <>
struct Field<bool> {
  static std::string json(bool value, const Flag&) { return value ? "true" : "false"; }
  static void parse(bool& value, const char* name, const Flag&, std::string_view text) {
    if (text != "true" && text != "false") bad_value(name, text, "true or false");
    value = text == "true";
  }
  static void info(ParamInfo& info, const Flag&) {
    info.type = "flag";
    info.is_flag = true;
  }
};

template <class T>
struct Field<std::optional<T>> {
  template <class C>
  static std::string json(const std::optional<T>& value, const C& c) {
    return value ? Field<T>::json(*value, c) : "\"auto\"";
  }
  template <class C>
  static void parse(std::optional<T>& value, const char* name, const C& c, std::string_view text) {
    if (text == "auto") {
      value.reset();
    } else {
      T parsed{};
      Field<T>::parse(parsed, name, c, text);
      value = parsed;
    }
  }
  template <class C>
  static void info(ParamInfo& info, const C& c) {
    Field<T>::info(info, c);
    info.type += " or auto";
  }
};

}  // namespace detail

// All parameters of P with their defaults.
template <class P>
std::vector<ParamInfo> param_infos() {
  std::vector<ParamInfo> all;
  P defaults;
  defaults.describe([&](auto& field, const char* name, const auto& constraint, const char* help, const char* sklearn = nullptr) {
    using F = detail::Field<std::remove_cvref_t<decltype(field)>>;
    ParamInfo info;
    info.name = name;
    info.help = help;
    info.default_json = F::json(field, constraint);
    if (sklearn != nullptr) info.sklearn_default = sklearn;
    F::info(info, constraint);
    all.push_back(std::move(info));
  });
  return all;
}

// Sets one parameter from text. Throws Error{kUsage} naming it, its range, and for an unknown name the nearest known one.
template <class P>
void set_param(P& params, std::string_view name, std::string_view text) {
  bool found = false;
  std::vector<std::string> known;
  params.describe([&](auto& field, const char* its_name, const auto& constraint, const char*, const char* = nullptr) {
    known.emplace_back(its_name);
    if (name != its_name) return;
    found = true;
    detail::Field<std::remove_cvref_t<decltype(field)>>::parse(field, its_name, constraint, text);
  });
  if (found) return;
  const std::string near = closest(name, known);
  fail(ErrorCode::kUsage, std::string(name), "there is no such parameter", near.empty() ? "see --help" : "did you mean " + near + "?");
}

// name -> value as JSON text, of every parameter.
template <class P>
std::map<std::string, std::string> param_values(P params) {
  std::map<std::string, std::string> all;
  params.describe([&](auto& field, const char* name, const auto& constraint, const char*, const char* = nullptr) {
    all[name] = detail::Field<std::remove_cvref_t<decltype(field)>>::json(field, constraint);
  });
  return all;
}

}  // namespace sluice
