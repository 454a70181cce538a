#include "sluice/patterns/rules.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>

#include "sluice/core/error.h"
#include "sluice/core/fold.h"
#include "sluice/patterns/fisher.h"

namespace sluice {
namespace {

double share(int64_t a, int64_t b) {
  return static_cast<double>(a) / static_cast<double>(b);
}

// The walk that finds rules: best_[set][p] is the highest confidence with which a subset of the set, the item at p in it, concludes that.
class Finder {
 public:
  Finder(const SetIndex& index, int64_t baskets, const RuleOptions& options, Context& ctx)
      : index_(index), baskets_(baskets), options_(options), ctx_(ctx), found_(static_cast<size_t>(worker_count(ctx))) {}

  RuleList run() {
    std::vector<int64_t> above(found_.size()), tested(found_.size());
    each_set(
        index_, ctx_, [&](int64_t length) { begin(length); },
        [&](int worker, const SetView& set) {
          look(set, found_[static_cast<size_t>(worker)], above[static_cast<size_t>(worker)], tested[static_cast<size_t>(worker)]);
        });
    RuleList list;
    for (size_t w = 0; w < found_.size(); ++w) {
      list.rules.insert(list.rules.end(), found_[w].begin(), found_[w].end());
      found_[w] = {};
      list.above += above[w];
      list.tested += tested[w];
    }
    return list;
  }

 private:
  void begin(int64_t length) {
    length_ = length;
    std::swap(best_, before_);
    const int64_t sets = index_.level[static_cast<size_t>(length)] - index_.level[static_cast<size_t>(length) - 1];
    best_.resize(static_cast<size_t>(length > 1 ? sets * length : 0));
  }

  void look(const SetView& set, std::vector<Rule>& rules, int64_t& above, int64_t& tested) {
    const int64_t k = length_;
    if (k < 2) return;
    const int64_t first = index_.level[static_cast<size_t>(k) - 1], first_before = index_.level[static_cast<size_t>(k) - 2];
    double* best = best_.data() + (set.set - first) * k;
    for (int64_t p = 0; p < k; ++p) {
      const int32_t item = set.ranks[static_cast<size_t>(p)];
      if (!options_.consequent.empty() && options_.consequent[static_cast<size_t>(item)] == 0) continue;
      const uint32_t antecedent = set.subsets[static_cast<size_t>(p)];
      const double confidence = share(index_.count[set.set], index_.count[antecedent]);
      double smaller = -1;
      for (int64_t q = 0; k > 2 && q < k; ++q) {
        if (q == p) continue;
        const int64_t place = p - (q < p ? 1 : 0);
        smaller = std::max(smaller, before_[static_cast<size_t>((set.subsets[static_cast<size_t>(q)] - first_before) * (k - 1) + place)]);
      }
      best[p] = std::max(smaller, confidence);
      if (k < options_.min_length || k > options_.max_length) continue;
      ++tested;
      if (confidence < options_.min_confidence) continue;
      ++above;
      if (options_.all || smaller < confidence) take(set, antecedent, item, confidence, rules);
    }
  }

  void take(const SetView& set, uint32_t antecedent, int32_t item, double confidence, std::vector<Rule>& rules) {
    constexpr int64_t kStep = 1024;
    if (rules.size() % kStep == 0 && kept_.fetch_add(kStep) * static_cast<int64_t>(sizeof(Rule)) * 2 > ctx_.memory / 4 && !rules.empty()) {
      fail(ErrorCode::kMemory, "--min-confidence", "the rules do not fit the memory budget", "raise it, or --min-support, or --memory");
    }
    const int64_t both = index_.count[set.set], with = index_.count[antecedent], concluded = index_.count[static_cast<size_t>(item)];
    rules.push_back({set.set, antecedent, item, confidence / share(concluded, baskets_), fisher_p(both, with, concluded, baskets_), 1});
  }

  const SetIndex& index_;
  int64_t baskets_;
  const RuleOptions& options_;
  Context& ctx_;
  int64_t length_ = 0;
  std::vector<double> best_, before_;
  std::vector<std::vector<Rule>> found_;
  std::atomic<int64_t> kept_{0};
};

void sort_rules(std::vector<Rule>& rules, const SetIndex& index, size_t best) {
  const auto before = [&](const Rule& a, const Rule& b) {
    if (a.lift != b.lift) return a.lift > b.lift;
    const double confident_a = share(index.count[a.set], index.count[a.antecedent]);
    const double confident_b = share(index.count[b.set], index.count[b.antecedent]);
    if (confident_a != confident_b) return confident_a > confident_b;
    if (index.length(a.set) != index.length(b.set)) return index.length(a.set) < index.length(b.set);
    if (index.count[a.set] != index.count[b.set]) return index.count[a.set] > index.count[b.set];
    if (a.set != b.set) return a.set < b.set;
    return a.consequent < b.consequent;
  };
  if (best < rules.size()) {
    std::partial_sort(rules.begin(), rules.begin() + static_cast<ptrdiff_t>(best), rules.end(), before);
    rules.resize(best);
  } else {
    std::sort(rules.begin(), rules.end(), before);
  }
}

}  // namespace

RuleList find_rules(const SetIndex& index, int64_t baskets, const RuleOptions& options, Context& ctx) {
  RuleList list = Finder(index, baskets, options, ctx).run();
  std::vector<double> p;
  for (const Rule& rule : list.rules) p.push_back(rule.fisher_p);
  const std::vector<double> rates = false_discovery(p, list.tested);
  for (size_t i = 0; i < rates.size(); ++i) list.rules[i].fdr = rates[i];
  sort_rules(list.rules, index, options.all ? list.rules.size() : static_cast<size_t>(kBestRules));
  return list;
}

RuleMeasures measures_of(const Rule& rule, const SetIndex& index, int64_t baskets) {
  RuleMeasures out;
  out.count = index.count[rule.set];
  out.support = share(out.count, baskets);
  out.coverage = share(index.count[rule.antecedent], baskets);
  out.confidence = share(out.count, index.count[rule.antecedent]);
  const double consequent = share(index.count[static_cast<size_t>(rule.consequent)], baskets);
  out.leverage = out.support - out.coverage * consequent;
  out.conviction = out.confidence == 1 ? std::numeric_limits<double>::infinity() : (1 - consequent) / (1 - out.confidence);
  const double widest = std::max(out.support * (1 - out.coverage), out.coverage * (consequent - out.support));
  out.zhang = widest > 0 ? out.leverage / widest : 0;
  return out;
}

}  // namespace sluice
