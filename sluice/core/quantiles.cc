#include "sluice/core/quantiles.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>

#include "sluice/core/exact_sum.h"
#include "sluice/core/text.h"

namespace sluice {
namespace {

constexpr uint64_t kSign = uint64_t{1} << 63;
constexpr int kMostBits = 11;          // of a pass: 16 KiB a window, which a core's cache holds for a few columns
constexpr int kWishedBits = 8;         // columns are cut into groups rather than take fewer bits than these
constexpr int64_t kCollect = 1 << 18;  // so few values are rather sorted than counted

// Values to integers in the same order. Whole numbers in a narrow range have few bits, so that one pass or two serve.
struct Keys {
  bool whole = false;
  double least = 0;
  int64_t values = 0;  // how many there are, or -1 when unknown
  int bits = 64;       // keys are below 2^bits after `low` is taken off
  uint64_t low = 0;

  static uint64_t ordered(double x) {
    const auto b = std::bit_cast<uint64_t>(x + 0.0);  // -0 becomes +0
    return b ^ ((b & kSign) != 0 ? ~uint64_t{0} : kSign);
  }
  static double value(uint64_t key) { return std::bit_cast<double>((key & kSign) != 0 ? key ^ kSign : ~key); }

  uint64_t key(double x) const { return whole ? static_cast<uint64_t>(static_cast<int64_t>(x - least)) : ordered(x); }
  double back(uint64_t key) const { return whole ? least + static_cast<double>(key) : value(key); }
};

Keys keys_of(const Source& source, int64_t col) {
  Keys keys;
  if (!source.stats.measured) {
    keys.values = -1;
    return keys;
  }
  const ColumnStatistics& c = source.stats.columns[static_cast<size_t>(col)];
  keys.values = c.finite + c.infinite;
  if (c.infinite > 0 || c.finite == 0) return keys;
  if (c.integers && std::fabs(c.min) < 0x1p52 && std::fabs(c.max) < 0x1p52) {
    keys.whole = true;
    keys.least = c.min + 0.0;
    keys.bits = std::bit_width(static_cast<uint64_t>(c.max - c.min));
    return keys;
  }
  keys.low = Keys::ordered(c.min);
  keys.bits = std::bit_width(Keys::ordered(c.max) - keys.low);
  return keys;
}

// One interval of keys of one slot (group and column), [low, low + 2^bits), in which answers are looked for.
struct Window {
  int64_t slot = 0;
  uint64_t low = 0;
  int bits = 0;
  bool holds(uint64_t key) const { return bits >= 64 || ((key - low) >> bits) == 0; }
};

// What the passes over one group of columns look at.
struct Search {
  const RowColumn<int32_t>* labels = nullptr;  // null: all rows are group 0
  int64_t groups = 1;
  int64_t first_col = 0;
  int64_t cols = 0;
  double weight_unit = 0;  // 0: every row counts 1; else a weight is a multiple of this
  std::vector<Keys> keys;
  std::vector<Window> windows;    // by slot, then low
  std::vector<int64_t> begin_of;  // first window of each slot; slots + 1 of them
  int pass_bits = 0;

  int64_t slots() const { return groups * cols; }
  int64_t weight(const MatrixBlock& leaf, int64_t i) const {
    return weight_unit == 0 ? 1 : static_cast<int64_t>(std::nearbyint(leaf.weight(i) / weight_unit));
  }
  void index() {
    begin_of.assign(static_cast<size_t>(slots()) + 1, 0);
    for (const Window& w : windows) ++begin_of[static_cast<size_t>(w.slot) + 1];
    for (size_t s = 1; s < begin_of.size(); ++s) begin_of[s] += begin_of[s - 1];
  }

  // f(window number, key, weight) of every value that lies in a window.
  template <class F>
  void visit(const MatrixBlock& leaf, std::vector<double>& scratch, F&& f) const {
    scratch.resize(static_cast<size_t>(leaf.cols));
    for (int64_t i = 0; i < leaf.rows; ++i) {
      const int64_t group = labels == nullptr ? 0 : (*labels)[leaf.first_row + i];
      if (group < 0 || group >= groups) continue;
      const int64_t w = weight(leaf, i);
      if (w == 0) continue;
      const double* row = leaf.row(i, scratch.data()) + first_col;
      for (int64_t j = 0; j < cols; ++j) {
        if (row[j] != row[j]) continue;
        const auto slot = static_cast<size_t>(group * cols + j);
        const int64_t begin = begin_of[slot];
        const int64_t end = begin_of[slot + 1];
        if (begin == end) continue;
        const uint64_t key = keys[static_cast<size_t>(j)].key(row[j]);
        for (int64_t at = begin; at < end; ++at) {
          if (windows[static_cast<size_t>(at)].holds(key)) {
            f(at, key, w);
            break;  // the windows of a slot do not overlap
          }
        }
      }
    }
  }
};

// Weight by bin, for every window.
class CountState {
 public:
  explicit CountState(const Search& search) : search_(&search), bins_(search.windows.size() << search.pass_bits) {}
  void accumulate(const MatrixBlock& leaf) {
    search_->visit(leaf, scratch_, [&](int64_t at, uint64_t key, int64_t w) {
      const Window& window = search_->windows[static_cast<size_t>(at)];
      const int shift = std::max(0, window.bits - search_->pass_bits);
      bins_[(static_cast<size_t>(at) << search_->pass_bits) + static_cast<size_t>((key - window.low) >> shift)] += w;
    });
  }
  void merge(CountState&& other) {
    for (size_t i = 0; i < bins_.size(); ++i) bins_[i] += other.bins_[i];
  }
  void save(ByteWriter& out) const { out.put_all(std::span<const int64_t>(bins_)); }
  void load(ByteReader& in) {
    auto bins = in.get_all<int64_t>();
    if (bins.size() != bins_.size()) in.damaged("has another number of bins");
    bins_ = std::move(bins);
  }
  int64_t bytes() const { return static_cast<int64_t>(bins_.size() * 8); }
  std::span<const int64_t> bins(size_t window) const {
    const size_t count = size_t{1} << search_->pass_bits;
    return std::span<const int64_t>(bins_).subspan(window * count, count);
  }

 private:
  const Search* search_;
  std::vector<double> scratch_;
  std::vector<int64_t> bins_;
};

struct Met {
  int64_t window;
  uint64_t key;
  int64_t weight;
  bool operator<(const Met& o) const { return window != o.window ? window < o.window : key < o.key; }
};

// All values in the windows themselves.
class CollectState {
 public:
  explicit CollectState(const Search& search) : search_(&search) {}
  void accumulate(const MatrixBlock& leaf) {
    search_->visit(leaf, scratch_, [&](int64_t at, uint64_t key, int64_t w) { met.push_back({at, key, w}); });
  }
  void merge(CollectState&& other) { met.insert(met.end(), other.met.begin(), other.met.end()); }
  void save(ByteWriter& out) const { out.put_all(std::span<const Met>(met)); }
  void load(ByteReader& in) { met = in.get_all<Met>(); }
  int64_t bytes() const { return static_cast<int64_t>(met.size() * sizeof(Met)); }
  std::vector<Met> met;

 private:
  const Search* search_;
  std::vector<double> scratch_;
};

// One order statistic looked for: the least key of `window` whose weight, with all below, reaches `want`.
struct Target {
  size_t window = 0;
  int64_t want = 0;
  size_t out = 0;
};

// Which cumulated weights to find, given a slot's whole weight; nothing for a slot without weight.
using Wants = std::function<void(int64_t total, std::vector<int64_t>& wants)>;

class Selection {
 public:
  Selection(const Source& source, Search search, Wants wants, size_t wants_a_slot, int64_t budget, Context& ctx)
      : source_(source), search_(std::move(search)), wants_(std::move(wants)), per_slot_(wants_a_slot), budget_(budget), ctx_(ctx) {}

  // slots x wants_a_slot values, NaN where a slot has no weight.
  std::vector<double> run() {
    found_.assign(static_cast<size_t>(search_.slots()) * per_slot_, std::numeric_limits<double>::quiet_NaN());
    int64_t left = 0;  // values the next pass may meet; only known where rows count 1
    bool known = search_.weight_unit == 0;
    for (int64_t s = 0; s < search_.slots(); ++s) {
      const Keys& keys = search_.keys[static_cast<size_t>(s % search_.cols)];
      search_.windows.push_back({s, keys.low, keys.bits});
    }
    for (const Keys& keys : search_.keys) left += keys.values < 0 ? source_.rows() : keys.values;
    if (!known && source_.rows() * search_.cols <= kCollect) known = true;  // weights do not make more values
    bool first = true;
    while (first || !targets_.empty()) {
      search_.index();
      if (known && left <= std::min(kCollect, budget_ / 128)) {
        finish_sorted(first);
        break;
      }
      left = count_pass(first);
      known = search_.weight_unit == 0;
      first = false;
    }
    return std::move(found_);
  }

 private:
  void aim(size_t window, int64_t total) {
    std::vector<int64_t> wants;
    if (total > 0) wants_(total, wants);
    for (size_t w = 0; w < wants.size(); ++w) {
      targets_.push_back({window, wants[w], static_cast<size_t>(search_.windows[window].slot) * per_slot_ + w});
    }
  }
  void settle(const Target& target, uint64_t key) {
    const auto slot = static_cast<int64_t>(target.out / per_slot_);
    found_[target.out] = search_.keys[static_cast<size_t>(slot % search_.cols)].back(key);
  }

  // One counting pass: every target goes on in one bin of its window. Returns the weight in the bins kept.
  int64_t count_pass(bool first) {
    int bits = kMostBits;
    int widest = 1;
    for (const Window& w : search_.windows) widest = std::max(widest, w.bits);
    const auto windows = static_cast<int64_t>(search_.windows.size());
    while (bits > 1 && (windows << bits) * 8 > budget_) --bits;
    search_.pass_bits = std::min(bits, widest);
    const CountState counts = fold(source_, [&] { return CountState(search_); }, ctx_);
    if (first) {
      for (size_t w = 0; w < search_.windows.size(); ++w) {
        int64_t total = 0;
        for (const int64_t n : counts.bins(w)) total += n;
        aim(w, total);
      }
    }
    std::vector<Window> next;
    std::vector<Target> open;
    int64_t left = 0;
    for (Target target : targets_) {
      const Window& window = search_.windows[target.window];
      const std::span<const int64_t> bins = counts.bins(target.window);
      size_t bin = 0;
      while (target.want > bins[bin]) target.want -= bins[bin++];
      const int shift = std::max(0, window.bits - search_.pass_bits);
      const Window inner{window.slot, window.low + (static_cast<uint64_t>(bin) << shift), shift};
      if (shift == 0) {
        settle(target, inner.low);
        continue;
      }
      if (next.empty() || next.back().slot != inner.slot || next.back().low != inner.low) {
        next.push_back(inner);
        left += bins[bin];
      }
      target.window = next.size() - 1;
      open.push_back(target);
    }
    search_.windows = std::move(next);
    targets_ = std::move(open);
    return left;
  }

  void finish_sorted(bool first) {
    std::vector<Met> met = fold(source_, [&] { return CollectState(search_); }, ctx_).met;
    std::sort(met.begin(), met.end());
    std::vector<size_t> begin(search_.windows.size() + 1, 0);
    for (const Met& m : met) ++begin[static_cast<size_t>(m.window) + 1];
    for (size_t w = 1; w < begin.size(); ++w) begin[w] += begin[w - 1];
    if (first) {
      for (size_t w = 0; w < search_.windows.size(); ++w) {
        int64_t total = 0;
        for (size_t i = begin[w]; i < begin[w + 1]; ++i) total += met[i].weight;
        aim(w, total);
      }
    }
    for (Target target : targets_) {
      size_t i = begin[target.window];
      while (target.want > met[i].weight) target.want -= met[i++].weight;
      settle(target, met[i].key);
    }
    targets_.clear();
  }

  const Source& source_;
  Search search_;
  Wants wants_;
  size_t per_slot_;
  int64_t budget_;
  Context& ctx_;
  std::vector<Target> targets_;  // ascending by slot and want, hence by window
  std::vector<double> found_;
};

// The unit in which weights are counted: 1 for whole weights, else so that their sum stays below 2^62; 0 when there are none.
class WeightState {
 public:
  void accumulate(const MatrixBlock& leaf) {
    if (leaf.weights == nullptr) return;
    any_ = true;
    for (int64_t i = 0; i < leaf.rows; ++i) {
      sum_.add(leaf.weights[i]);
      whole_ &= std::nearbyint(leaf.weights[i]) == leaf.weights[i];
    }
  }
  void merge(WeightState&& other) {
    any_ |= other.any_;
    whole_ &= other.whole_;
    sum_.merge(other.sum_);
  }
  void save(ByteWriter& out) const {
    out.put(any_);
    out.put(whole_);
    sum_.save(out);
  }
  void load(ByteReader& in) {
    any_ = in.get<bool>();
    whole_ = in.get<bool>();
    sum_.load(in);
  }
  int64_t bytes() const { return sum_.bytes(); }
  double unit() const {
    const double sum = sum_.value();
    if (!any_ || !(sum > 0)) return 0;
    if (whole_ && sum < 0x1p61) return 1;
    return std::ldexp(1.0, std::max(std::ilogb(sum) - 60, -1074));
  }
  bool all_zero() const { return any_ && sum_.value() == 0; }

 private:
  bool any_ = false;
  bool whole_ = true;
  ExactSum sum_;
};

// Bytes one worker's counters may take; the same on every rank, so that all make the same passes.
int64_t counter_budget(Context& ctx) {
  const int64_t mine = std::max<int64_t>(1 << 20, ctx.memory / 8) / (ctx.threads + 1);
  return ctx.ranks() > 1 ? all_min(*ctx.comm, mine) : mine;
}

// Runs the selection for as many columns at a time as the budget allows; give(first column, values as slots x wants).
void select(const Source& source, Search whole, const Wants& wants, size_t wants_a_slot, Context& ctx,
            const std::function<void(int64_t, int64_t, std::span<const double>)>& give) {
  const int64_t budget = counter_budget(ctx);
  const int64_t a_column = whole.groups * static_cast<int64_t>(wants_a_slot) * (8 << kWishedBits);
  const int64_t step = std::clamp<int64_t>(budget / std::max<int64_t>(1, a_column), 1, std::max<int64_t>(1, source.cols()));
  for (int64_t at = 0; at < source.cols(); at += step) {
    Search part = whole;
    part.first_col = at;
    part.cols = std::min(step, source.cols() - at);
    for (int64_t j = 0; j < part.cols; ++j) part.keys.push_back(keys_of(source, at + j));
    const int64_t cols = part.cols;
    give(at, cols, Selection(source, std::move(part), wants, wants_a_slot, budget, ctx).run());
  }
}

}  // namespace

double interpolate(double a, double b, double t) {
  if (a == b || t == 0) return a;  // equal infinities have no difference
  return t < 0.5 ? a + (b - a) * t : b - (b - a) * (1 - t);
}

Matrix<double> column_quantiles(const Source& source, std::span<const double> q, Context& ctx) {
  for (const double p : q) {
    if (!(p >= 0 && p <= 1)) fail(ErrorCode::kUsage, "quantile", to_text(p) + " is not a share", "give numbers from 0 to 1");
  }
  // Neighbours of each quantile among n values in order, 0-based, and the way between them.
  const auto place = [](double p, int64_t n) {
    const double at = p * static_cast<double>(n - 1);
    const double below = std::floor(at);
    return std::pair{static_cast<int64_t>(below), at - below};
  };
  Matrix<double> out(static_cast<int64_t>(q.size()), source.cols(), std::numeric_limits<double>::quiet_NaN());
  if (q.empty()) return out;
  // The 1-based ranks looked for, ascending and each once, as a selection wants them.
  const auto places = [&](int64_t n) {
    std::vector<int64_t> all;
    for (const double p : q) {
      const int64_t at = place(p, n).first;
      all.push_back(at + 1);
      all.push_back(std::min(at + 1, n - 1) + 1);
    }
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
  };
  std::vector<int64_t> totals;  // values of each column that has any, in column order, as the selection met them
  const Wants wants = [&](int64_t total, std::vector<int64_t>& all) {
    totals.push_back(total);
    all = places(total);
  };
  const size_t most = 2 * q.size();
  select(source, Search{}, wants, most, ctx, [&](int64_t first, int64_t cols, std::span<const double> found) {
    size_t met = 0;
    for (int64_t j = 0; j < cols; ++j) {
      const auto mine = found.subspan(static_cast<size_t>(j) * most, most);
      if (mine[0] != mine[0]) continue;  // no value, so no total either
      const int64_t n = totals[met++];
      const std::vector<int64_t> at = places(n);
      const auto value = [&](int64_t rank) {
        return mine[static_cast<size_t>(std::lower_bound(at.begin(), at.end(), rank + 1) - at.begin())];
      };
      for (size_t i = 0; i < q.size(); ++i) {
        const auto [below, t] = place(q[i], n);
        out(static_cast<int64_t>(i), first + j) = interpolate(value(below), value(std::min(below + 1, n - 1)), t);
      }
    }
    totals.clear();
  });
  return out;
}

Matrix<double> group_lower_medians(const Source& source, const RowColumn<int32_t>& labels, int64_t groups, Context& ctx) {
  Matrix<double> out(groups, source.cols(), std::numeric_limits<double>::quiet_NaN());
  const WeightState weights = fold(source, [] { return WeightState(); }, ctx);
  if (weights.all_zero()) return out;
  Search search;
  search.labels = &labels;
  search.groups = groups;
  search.weight_unit = weights.unit();
  const Wants half = [](int64_t total, std::vector<int64_t>& wants) { wants = {total - total / 2}; };
  select(source, search, half, 1, ctx, [&](int64_t first, int64_t cols, std::span<const double> found) {
    for (int64_t g = 0; g < groups; ++g) {
      for (int64_t j = 0; j < cols; ++j) out(g, first + j) = found[static_cast<size_t>(g * cols + j)];
    }
  });
  return out;
}

}  // namespace sluice
