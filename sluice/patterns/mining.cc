#include "sluice/patterns/mining.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <memory>

#include "sluice/patterns/eclat.h"
#include "sluice/patterns/found.h"

namespace sluice {
namespace {

// So many are searched for without counting them first.
constexpr int64_t kFewItemsets = int64_t{1} << 21;
constexpr int64_t kLineBytes = 40;  // of itemsets.csv, about

std::string grouped(int64_t number) {
  std::string text = to_text(number);
  for (auto at = static_cast<ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) text.insert(static_cast<size_t>(at), ",");
  return text;
}

int64_t disk_free(const Context& ctx) {
  struct statvfs disk{};
  if (ctx.spool_dir.empty() || ::statvfs(ctx.spool_dir.c_str(), &disk) != 0) return int64_t{1} << 60;
  return static_cast<int64_t>(disk.f_bavail) * static_cast<int64_t>(disk.f_frsize);
}

[[noreturn]] void refuse_explosion(int64_t most, const RankedBaskets& baskets) {
  fail(ErrorCode::kMemory, "--min-support",
       "more than " + grouped(most) + " item sets are in at least " + grouped(baskets.min_count) + " of " + grouped(baskets.rows) +
           " baskets",
       "raise it, limit --max-length, or give more --memory and disk");
}

// The search, with room for as many sets as there turn out to be.
std::shared_ptr<Found> search_all(ItemsetSearch search, bool count_first, const RankedBaskets& ranked, const SearchLimits& limits,
                                  Context& ctx) {
  const int64_t most = std::min({kMostItemsets, ctx.memory / 4, disk_free(ctx) / kLineBytes});
  const int64_t few = std::min(most, kFewItemsets);
  if (!count_first) {
    ctx.stage("item sets");
    auto found = std::make_shared<Found>(ranked.items(), few, ctx);
    search(ranked, limits, found->store, ctx);
    if (!found->store.full()) return found;
  }
  ctx.stage("counting item sets");
  if (eclat_count(ranked, limits, most, ctx) > most) refuse_explosion(most, ranked);
  ctx.stage("item sets");
  auto found = std::make_shared<Found>(ranked.items(), most, ctx);
  search(ranked, limits, found->store, ctx);
  if (found->store.full()) fail(ErrorCode::kBug, "item sets", "there are more than were counted", "please report this as a bug");
  return found;
}

void require_index_fits(const Found& found, int64_t per_subset, const Context& ctx) {
  const int64_t bytes = index_bytes(found.store.by_length(), per_subset);
  if (bytes <= ctx.memory / 2) return;
  fail(ErrorCode::kMemory, "--min-support",
       "rules and closed or maximal sets need " + grouped((bytes >> 20) * 2) + " MiB for " + grouped(found.store.sets()) + " frequent sets",
       "raise it, or give a larger --memory");
}

// Which sets to list: those without a superset of equal count (closed), or without any (maximal).
void mark_listed(Found& found, ItemsetTarget target, Context& ctx) {
  const SetIndex& index = *found.index;
  std::vector<uint8_t> listed(static_cast<size_t>(index.sets()), 1);
  each_set(
      index, ctx, [](int64_t) {},
      [&](int, const SetView& set) {
        for (const uint32_t subset : set.subsets) {
          if (target == ItemsetTarget::kMaximal || index.count[subset] == index.count[set.set])
            __atomic_store_n(&listed[subset], uint8_t{0}, __ATOMIC_RELAXED);  // several sets may say so of one
        }
      });
  found.listed = std::move(listed);
  found.level = index.level;
}

void name_items(Found& found, const RankedBaskets& ranked, const BasketSet& baskets) {
  found.item = ranked.item_of_rank;
  for (const int32_t item : ranked.item_of_rank) {
    const auto at = static_cast<size_t>(item);
    found.number.push_back(baskets.numbers[at]);
    found.name.push_back(baskets.names.empty() || baskets.names[at].empty() ? baskets.numbers[at] : baskets.names[at]);
  }
}

// Which ranks may be concluded, from --consequent.
std::vector<uint8_t> allowed(const std::string& list, const Found& found, const BasketSet& baskets) {
  if (list.empty()) return {};
  std::vector<uint8_t> out(found.item.size());
  std::vector<std::string> known = baskets.numbers;
  known.insert(known.end(), baskets.names.begin(), baskets.names.end());
  for (size_t at = 0; at <= list.size();) {
    const size_t comma = std::min(list.find(',', at), list.size());
    const std::string word = list.substr(at, comma - at);
    at = comma + 1;
    const bool there =
        std::any_of(known.begin(), known.end(), [&](const std::string& name) { return name == word || name.starts_with(word + "="); });
    if (word.empty() || !there) {
      const std::string near = closest(word, known);
      fail(ErrorCode::kBadInput, "--consequent", "there is no item or column '" + word + "'",
           near.empty() ? "give items by number or name, or columns of a table" : "did you mean " + near + "?");
    }
    for (size_t r = 0; r < out.size(); ++r) {
      if (found.name[r] == word || found.number[r] == word || found.name[r].starts_with(word + "=")) out[r] = 1;
    }
  }
  return out;
}

OutcomeTable rules_table(const Found& found) {
  constexpr size_t kMost = 1000;
  OutcomeTable table;
  table.title = "Rules";
  table.header = {"if", "then", "count", "support", "confidence", "lift", "leverage", "conviction", "Zhang", "Fisher p", "FDR"};
  for (const Rule& rule : found.rules.rules) {
    if (table.rows.size() == kMost) break;
    const RuleMeasures m = measures_of(rule, *found.index, found.rows);
    table.rows.push_back({names_of(found, ranks_of(*found.index, rule.antecedent)), names_of(found, std::array{rule.consequent}), m.count,
                          m.support, m.confidence, rule.lift, m.leverage, m.conviction, m.zhang, rule.fisher_p, rule.fdr});
  }
  table.note = grouped(static_cast<int64_t>(table.rows.size())) + " of " + grouped(found.rules.above) +
               " rules above the confidence, the best by lift; all listed ones are in rules.csv.";
  return table;
}

OutcomeTable itemsets_table(const Found& found) {
  constexpr size_t kMost = 100;
  struct Row {
    int64_t count, place;
    std::vector<int32_t> ranks;
  };
  std::vector<Row> best;  // a heap, the least on top
  const auto better = [](const Row& a, const Row& b) { return a.count != b.count ? a.count > b.count : a.place < b.place; };
  int64_t place = 0;
  each_listed(found, [&](std::span<const int32_t> ranks, int64_t count) {
    ++place;
    if (ranks.size() < 2 || (best.size() == kMost && count <= best.front().count)) return;
    best.push_back({count, place, {ranks.begin(), ranks.end()}});
    std::push_heap(best.begin(), best.end(), better);
    if (best.size() <= kMost) return;
    std::pop_heap(best.begin(), best.end(), better);
    best.pop_back();
  });
  std::sort(best.begin(), best.end(), better);
  OutcomeTable table;
  table.title = "Most frequent sets of two or more items";
  table.header = {"items", "count", "support"};
  for (const Row& row : best)
    table.rows.push_back({names_of(found, row.ranks), row.count, static_cast<double>(row.count) / static_cast<double>(found.rows)});
  table.note = "All sets are in itemsets.csv.";
  return table;
}

void describe_sets(const Found& found, const RankedBaskets& ranked, const BasketSet& baskets, Outcome& out) {
  std::vector<int64_t> by_length;
  int64_t sets = 0;
  each_listed(found, [&](std::span<const int32_t> ranks, int64_t) {
    if (by_length.size() < ranks.size()) by_length.resize(ranks.size());
    ++by_length[ranks.size() - 1];
    ++sets;
  });
  out.result.put("n_transactions", baskets.rows());
  out.result.put("n_items", baskets.n_items());
  out.result.put("n_itemsets", sets);
  out.result.put("min_count", ranked.min_count);
  out.result.put("itemsets_by_length", by_length);
  Figure figure;
  figure.title = "Item sets by length";
  figure.x_name = "items";
  figure.y_name = "sets";
  Figure::Line line{"sets", {}, {}, {}, {}};
  for (size_t k = 0; k < by_length.size(); ++k) {
    line.x.push_back(static_cast<double>(k + 1));
    line.y.push_back(static_cast<double>(by_length[k]));
  }
  figure.lines.push_back(std::move(line));
  out.figures.push_back(std::move(figure));
  out.tables.push_back(itemsets_table(found));
  out.notes.push_back(grouped(sets) + " sets in at least " + grouped(ranked.min_count) + " of " + grouped(ranked.rows) + " baskets");
}

void derive_rules(Found& found, const MiningParams& params, const BasketSet& baskets, Outcome& out, Context& ctx) {
  ctx.stage("rules");
  RuleOptions options;
  options.min_confidence = params.min_confidence;
  options.all = params.all_rules;
  options.min_length = params.min_length;
  options.max_length = found.max_length;
  options.consequent = allowed(params.consequent, found, baskets);
  found.rules = find_rules(*found.index, found.rows, options, ctx);
  out.result.put("n_rules", static_cast<int64_t>(found.rules.rules.size()));
  out.result.put("n_rules_above", found.rules.above);
  if (!found.rules.rules.empty()) {
    const Rule& first = found.rules.rules.front();
    out.notes.push_back("the first rule: " + names_of(found, ranks_of(*found.index, first.antecedent)) + " -> " +
                        names_of(found, std::array{first.consequent}));
  }
  out.tables.insert(out.tables.begin(), rules_table(found));
}

}  // namespace

Outcome mine_with(ItemsetSearch search, bool count_first, const BasketSet& baskets, const MiningParams& params, Context& ctx) {
  if (baskets.rows() == 0) fail(ErrorCode::kBadInput, "baskets", "there are none", "give some data");
  if (params.max_length && *params.max_length < params.min_length)
    fail(ErrorCode::kUsage, "--max-length", "it is below --min-length", "give a larger one");
  const bool rules = params.rules || params.all_rules;
  if (!rules && !params.consequent.empty())
    fail(ErrorCode::kUsage, "--consequent", "it means nothing without rules", "give --rules as well");
  const bool all = params.target == ItemsetTarget::kFrequent;
  const RankedBaskets ranked = rank_items(baskets, params.min_support.count(baskets.rows()), ctx);
  SearchLimits limits;
  if (params.max_length) limits.max_length = *params.max_length + (all ? 0 : 1);  // a superset may speak against the longest
  const std::shared_ptr<Found> found = search_all(search, count_first, ranked, limits, ctx);
  found->rows = baskets.rows();
  found->min_length = params.min_length;
  if (params.max_length) found->max_length = *params.max_length;
  name_items(*found, ranked, baskets);
  Outcome out;
  if (rules || !all) {
    require_index_fits(*found, rules ? 8 : 0, ctx);
    found->index = index_sets(found->store);
  }
  if (!all) mark_listed(*found, params.target, ctx);
  describe_sets(*found, ranked, baskets, out);
  if (rules) derive_rules(*found, params, baskets, out, ctx);
  if (!rules) found->index.reset();
  out.files.push_back({"itemsets.csv", [found](const Put& put) { write_itemsets(*found, put); }});
  if (rules) out.files.push_back({"rules.csv", [found](const Put& put) { write_rules(*found, put); }});
  return out;
}

}  // namespace sluice
