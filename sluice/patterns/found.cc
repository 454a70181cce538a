#include "sluice/patterns/found.h"

#include <algorithm>
#include <array>

namespace sluice {
namespace {

constexpr size_t kPiece = size_t{1} << 20;

// A CSV field in quotes.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

void append(std::string& to, double value) {
  char buffer[32];
  to.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

void append(std::string& to, int64_t value) {
  char buffer[24];
  to.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

// Lines of sets, made fast: names escaped once, shares of equal counts once.
class Lines {
 public:
  explicit Lines(const Found& found) : found_(found) {
    for (const std::string& name : found.name) {
      const std::string in_quotes = quoted(name);
      escaped_.push_back(in_quotes.substr(1, in_quotes.size() - 2));
    }
  }

  // "1 5 9,"a; b; c"".
  void items(std::span<const int32_t> ranks, std::string& to) {
    std::array<int32_t, kMostDepth> sorted;
    size_t size = 0;
    for (const int32_t rank : ranks) {  // few, and nearly any order: insertion
      size_t at = size++;
      const int32_t item = found_.item[static_cast<size_t>(rank)];
      for (; at > 0 && found_.item[static_cast<size_t>(sorted[at - 1])] > item; --at) sorted[at] = sorted[at - 1];
      sorted[at] = rank;
    }
    for (size_t i = 0; i < size; ++i) {
      if (i > 0) to += ' ';
      to += found_.number[static_cast<size_t>(sorted[i])];
    }
    to += ",\"";
    for (size_t i = 0; i < size; ++i) {
      if (i > 0) to += "; ";
      to += escaped_[static_cast<size_t>(sorted[i])];
    }
    to += '"';
  }

  // ",10,0.0010167768174885614".
  void count(int64_t count, std::string& to) {
    auto& [known, text] = shares_[static_cast<size_t>(count) % shares_.size()];
    if (known != count) {
      known = count;
      text = ",";
      append(text, count);
      text += ',';
      append(text, static_cast<double>(count) / static_cast<double>(found_.rows));
    }
    to += text;
  }

 private:
  const Found& found_;
  std::vector<std::string> escaped_;
  std::vector<std::pair<int64_t, std::string>> shares_ = std::vector<std::pair<int64_t, std::string>>(4096, {-1, ""});
};

}  // namespace

void each_listed(const Found& found, const std::function<void(std::span<const int32_t>, int64_t)>& f) {
  std::vector<int64_t> next = found.level;
  found.store.each([&](std::span<const int32_t> ranks, int64_t count) {
    const auto length = static_cast<int64_t>(ranks.size());
    const bool listed = found.listed.empty() || found.listed[static_cast<size_t>(next[ranks.size() - 1]++)] != 0;
    if (listed && length >= found.min_length && length <= found.max_length) f(ranks, count);
  });
}

void write_itemsets(const Found& found, const Put& put) {
  Lines lines(found);
  std::string text = "items,names,count,support\n";
  each_listed(found, [&](std::span<const int32_t> ranks, int64_t count) {
    lines.items(ranks, text);
    lines.count(count, text);
    text += '\n';
    if (text.size() >= kPiece) {
      put(text);
      text.clear();
    }
  });
  put(text);
}

std::vector<int32_t> ranks_of(const SetIndex& index, uint32_t set) {
  std::vector<int32_t> ranks(static_cast<size_t>(index.length(set)));
  for (size_t p = ranks.size(); p-- > 0; set = index.parent[set]) ranks[p] = index.rank[set];
  return ranks;
}

std::string names_of(const Found& found, std::span<const int32_t> ranks) {
  std::vector<int32_t> sorted(ranks.begin(), ranks.end());
  std::sort(sorted.begin(), sorted.end(),
            [&](int32_t a, int32_t b) { return found.item[static_cast<size_t>(a)] < found.item[static_cast<size_t>(b)]; });
  std::string out;
  for (const int32_t rank : sorted) out += (out.empty() ? "" : "; ") + found.name[static_cast<size_t>(rank)];
  return out;
}

void write_rules(const Found& found, const Put& put) {
  Lines lines(found);
  std::string text =
      "antecedent,antecedent_names,consequent,consequent_names,count,support,confidence,lift,leverage,conviction,zhang,coverage,fisher_p,"
      "fdr\n";
  for (const Rule& rule : found.rules.rules) {
    const RuleMeasures m = measures_of(rule, *found.index, found.rows);
    lines.items(ranks_of(*found.index, rule.antecedent), text);
    text += ',';
    lines.items(std::array{rule.consequent}, text);
    lines.count(m.count, text);
    for (const double value : {m.confidence, rule.lift, m.leverage, m.conviction, m.zhang, m.coverage, rule.fisher_p, rule.fdr}) {
      text += ',';
      append(text, value);
    }
    text += '\n';
    if (text.size() >= kPiece) {
      put(text);
      text.clear();
    }
  }
  put(text);
}

}  // namespace sluice
