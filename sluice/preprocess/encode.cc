#include "sluice/preprocess/encode.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

namespace sluice {

LevelCounts level_counts(const TextColumn& column, std::span<const int64_t> rows) {
  std::unordered_map<std::string_view, int64_t> counts;
  const int64_t n = rows.empty() ? column.rows() : static_cast<int64_t>(rows.size());
  for (int64_t i = 0; i < n; ++i) {
    const std::string_view text = column.at(rows.empty() ? i : rows[static_cast<size_t>(i)]);
    if (!text.empty()) ++counts[text];
  }
  LevelCounts out;
  out.reserve(counts.size());
  for (const auto& [text, count] : counts) out.emplace_back(text, count);
  std::sort(out.begin(), out.end());
  return out;
}

Levels choose_levels(const LevelCounts& counts, int64_t rows, double min_frequency, int64_t max_levels) {
  const double least = min_frequency < 1 ? min_frequency * static_cast<double>(rows) : min_frequency;
  std::vector<size_t> order;  // of the frequent levels, most frequent first
  for (size_t i = 0; i < counts.size(); ++i) {
    if (static_cast<double>(counts[i].second) >= least) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return counts[a].second > counts[b].second; });
  const bool rare = order.size() < counts.size();
  const auto most = static_cast<size_t>(max_levels);
  if (order.size() + (rare ? 1 : 0) > most) order.resize(most - 1);
  Levels levels;
  levels.other = order.size() < counts.size();
  if (levels.other) std::erase_if(order, [&](size_t i) { return counts[i].first == "other"; });
  levels.grouped = static_cast<int64_t>(counts.size() - order.size());
  std::sort(order.begin(), order.end());
  for (const size_t i : order) levels.kept.push_back(counts[i].first);
  return levels;
}

std::vector<int32_t> level_codes(const TextColumn& column, const std::vector<std::string>& kept, bool other, const std::string& fill) {
  std::unordered_map<std::string_view, int32_t> number;
  for (size_t i = 0; i < kept.size(); ++i) number.emplace(kept[i], static_cast<int32_t>(i));
  const int32_t rest = other ? static_cast<int32_t>(kept.size()) : kNoLevel;
  std::vector<int32_t> codes(static_cast<size_t>(column.rows()));
  for (int64_t i = 0; i < column.rows(); ++i) {
    std::string_view text = column.at(i);
    if (text.empty()) text = fill;
    const auto found = number.find(text);
    codes[static_cast<size_t>(i)] = text.empty() ? kMissingLevel : found == number.end() ? rest : found->second;
  }
  return codes;
}

}  // namespace sluice
