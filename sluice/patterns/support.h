// How often an item set must occur, as people say it: a share of the baskets or a count of them.
#pragma once
#include <cmath>

#include "sluice/core/params.h"

namespace sluice {

// "0.01", "1.0", "1e-3": a share in (0, 1]. "1", "20": a count.
struct Support {
  double value = 0.1;
  bool share = true;

  // The least count that meets it among so many baskets, at least 1.
  int64_t count(int64_t baskets) const {
    if (!share) return static_cast<int64_t>(value);
    const auto n = static_cast<double>(baskets);
    auto least = static_cast<int64_t>(std::ceil(value * n));  // off by one where the product was rounded: the quotient decides
    while (least > 1 && static_cast<double>(least - 1) / n >= value) --least;
    while (least < baskets && static_cast<double>(least) / n < value) ++least;
    return least < 1 ? 1 : least;
  }
};

struct ShareOrCount {};

namespace detail {

template <>
struct Field<Support> {
  static std::string json(const Support& support, const ShareOrCount&) {
    if (!support.share) return to_text(static_cast<int64_t>(support.value));
    const std::string text = to_text(support.value);
    return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
  }
  static void parse(Support& support, const char* name, const ShareOrCount&, std::string_view text) {
    const auto number = parse_number<double>(text);
    const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
    const bool whole = number && *number >= 1 && *number <= 0x1p53 && std::nearbyint(*number) == *number;
    if (!number || !(*number > 0) || (!(*number <= 1) && !whole) || (digits && !whole))
      bad_value(name, text, "a share above 0 and at most 1 with a point, as 0.01, or a whole number of baskets, as 20");
    support = {*number, !digits && *number <= 1};
  }
  static void info(ParamInfo& info, const ShareOrCount&) {
    info.type = "share or count";
    info.range = "0.0... to 1.0 of the baskets, or a whole number of them";
  }
};

}  // namespace detail
}  // namespace sluice
