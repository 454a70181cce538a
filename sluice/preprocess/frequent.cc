#include "sluice/preprocess/frequent.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <unordered_map>

#include "sluice/core/fold.h"

namespace sluice {
namespace {

uint64_t mixed(uint64_t x) {  // the finaliser of splitmix64
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}
struct Mix {
  size_t operator()(uint64_t x) const { return mixed(x); }
};
using Counts = std::unordered_map<uint64_t, int64_t, Mix>;

// Counts by value of some columns, of the values whose hash falls in part `part` of `parts`. A column past `limit` values is given up:
// whether it is depends on the number of its distinct values alone, not on who met them.
class CountState {
 public:
  CountState(std::span<const int64_t> columns, int64_t limit, uint64_t part, uint64_t parts)
      : columns_(columns), limit_(limit), part_(part), parts_(parts), counts_(columns.size()), over_(columns.size(), 0) {}

  void accumulate(const MatrixBlock& leaf) {
    scratch_.resize(static_cast<size_t>(leaf.cols));
    for (int64_t i = 0; i < leaf.rows; ++i) {
      const double* row = leaf.row(i, scratch_.data());
      for (size_t c = 0; c < columns_.size(); ++c) {
        const double x = row[columns_[c]];
        if (over_[c] != 0 || x != x) continue;
        const auto key = std::bit_cast<uint64_t>(x + 0.0);
        if (parts_ > 1 && (mixed(key) >> 32) % parts_ != part_) continue;
        ++counts_[c][key];
        check(c);
      }
    }
  }
  void merge(CountState&& other) {
    for (size_t c = 0; c < columns_.size(); ++c) {
      over_[c] |= other.over_[c];
      for (const auto& [key, n] : other.counts_[c]) counts_[c][key] += n;
      check(c);
    }
  }
  void save(ByteWriter& out) const {
    out.put_all(std::span<const uint8_t>(over_));
    for (const Counts& counts : counts_) {
      std::vector<int64_t> flat;
      for (const auto& [key, n] : counts) {
        flat.push_back(static_cast<int64_t>(key));
        flat.push_back(n);
      }
      out.put_all(std::span<const int64_t>(flat));
    }
  }
  void load(ByteReader& in) {
    over_ = in.get_all<uint8_t>();
    if (over_.size() != columns_.size()) in.damaged("has another number of columns");
    for (Counts& counts : counts_) {
      const auto flat = in.get_all<int64_t>();
      counts.clear();
      for (size_t i = 0; i + 1 < flat.size(); i += 2) counts[static_cast<uint64_t>(flat[i])] = flat[i + 1];
    }
  }
  int64_t bytes() const {
    int64_t all = 0;
    for (const Counts& counts : counts_) all += static_cast<int64_t>(counts.size()) * 40;
    return all;
  }
  bool over(size_t c) const { return over_[c] != 0; }
  const Counts& counts(size_t c) const { return counts_[c]; }

 private:
  void check(size_t c) {
    if (over_[c] != 0 || static_cast<int64_t>(counts_[c].size()) > limit_) {
      over_[c] = 1;
      counts_[c] = Counts{};
    }
  }
  std::span<const int64_t> columns_;
  int64_t limit_;
  uint64_t part_;
  uint64_t parts_;
  std::vector<Counts> counts_;
  std::vector<uint8_t> over_;
  std::vector<double> scratch_;
};

struct Best {
  double value = std::numeric_limits<double>::quiet_NaN();
  int64_t count = 0;
  void offer(double x, int64_t n) {
    if (n > count || (n == count && x < value)) *this = {x, n};
  }
};

// Entries of one state; the same on every rank, so that all make the same passes.
int64_t entry_budget(Context& ctx) {
  const int64_t mine = std::max<int64_t>(1 << 20, ctx.memory / 8) / 40 / (ctx.threads + 1);
  return ctx.ranks() > 1 ? all_min(*ctx.comm, mine) : mine;
}

}  // namespace

std::vector<double> most_frequent(const Source& source, std::span<const int64_t> columns, Context& ctx) {
  const int64_t budget = entry_budget(ctx);
  std::vector<double> out(columns.size(), std::numeric_limits<double>::quiet_NaN());
  std::vector<size_t> open(columns.size());
  for (size_t i = 0; i < open.size(); ++i) open[i] = i;
  // First all columns at once; those with too many values then one by one, in ever more parts by hash.
  std::vector<size_t> left;
  if (!columns.empty()) {
    const int64_t limit = std::max<int64_t>(16, budget / static_cast<int64_t>(columns.size()));
    const CountState state = fold(source, [&] { return CountState(columns, limit, 0, 1); }, ctx);
    for (size_t c = 0; c < columns.size(); ++c) {
      Best best;
      if (state.over(c)) {
        left.push_back(c);
        continue;
      }
      for (const auto& [key, n] : state.counts(c)) best.offer(std::bit_cast<double>(key), n);
      out[c] = best.value;
    }
  }
  for (const size_t c : left) {
    for (uint64_t parts = columns.size() == 1 ? 2 : 1;; parts *= 2) {
      Best best;
      bool fits = true;
      for (uint64_t part = 0; part < parts && fits; ++part) {
        const CountState state = fold(source, [&] { return CountState(columns.subspan(c, 1), budget, part, parts); }, ctx);
        fits = !state.over(0);
        for (const auto& [key, n] : state.counts(0)) best.offer(std::bit_cast<double>(key), n);
      }
      if (!fits) continue;
      out[c] = best.value;
      break;
    }
  }
  return out;
}

}  // namespace sluice
