// Distinct values of every column: one set a column, shared by the threads, and as many columns at a time as the budget holds.
#include <algorithm>
#include <atomic>
#include <bit>
#include <limits>
#include <mutex>
#include <numeric>

#include "sluice/core/fold.h"
#include "sluice/preprocess/frequent.h"

namespace sluice {
namespace {

struct Entry {
  uint64_t key;
  int64_t count;
};
// NaN is not counted, so its pattern marks a free slot.
const uint64_t kFree = std::bit_cast<uint64_t>(std::numeric_limits<double>::quiet_NaN());

uint64_t mixed(uint64_t x) {  // the finaliser of splitmix64
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

// Values and their counts: open addressing, at most two thirds full.
class ValueSet {
 public:
  void add(uint64_t key, int64_t n) {
    if (3 * (size_ + 1) > 2 * slots_.size()) grow();
    Entry& slot = slots_[place(key)];
    if (slot.key == kFree) {
      slot.key = key;
      ++size_;
    }
    slot.count += n;
  }
  int64_t size() const { return static_cast<int64_t>(size_); }
  int64_t bytes() const { return static_cast<int64_t>(slots_.size() * sizeof(Entry)); }
  static int64_t bytes_of(int64_t values) {
    return static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(values + 1) * 3 / 2 + 1) * sizeof(Entry));
  }
  std::vector<Entry> entries() const {
    std::vector<Entry> out;
    std::copy_if(slots_.begin(), slots_.end(), std::back_inserter(out), [](const Entry& slot) { return slot.key != kFree; });
    return out;
  }

 private:
  size_t place(uint64_t key) const {
    const size_t mask = slots_.size() - 1;
    size_t at = mixed(key) & mask;
    while (slots_[at].key != kFree && slots_[at].key != key) at = (at + 1) & mask;
    return at;
  }
  void grow() {
    std::vector<Entry> before(std::max<size_t>(16, 2 * slots_.size()), Entry{kFree, 0});
    before.swap(slots_);
    for (const Entry& one : before) {
      if (one.key != kFree) slots_[place(one.key)] = one;
    }
  }
  std::vector<Entry> slots_;
  size_t size_ = 0;
};

enum class Fate : uint8_t { kCounting, kOver, kPostponed };

struct Column {
  int64_t number = 0;
  std::mutex lock;  // of `values`
  ValueSet values;
  std::atomic<Fate> fate{Fate::kCounting};
};

// The columns of one pass. Which are put off to the next depends on the schedule; what is said of each in the end does not: whether it has
// more than `limit` values, else what they are. The first of them is never put off, on no rank, so that every pass gets on.
class Pass {
 public:
  Pass(const std::vector<int64_t>& numbers, int64_t limit, int64_t budget) : columns_(numbers.size()), limit_(limit), budget_(budget) {
    for (size_t c = 0; c < numbers.size(); ++c) columns_[c].number = numbers[c];
    counting_ = static_cast<int64_t>(numbers.size());
  }
  bool counting() const { return counting_ > 0; }
  std::vector<Column>& columns() { return columns_; }

  void accumulate(const MatrixBlock& leaf, size_t begin, std::vector<double>& scratch) {
    for (size_t i = 0; i < columns_.size(); ++i) {
      Column& column = columns_[(begin + i) % columns_.size()];  // each worker at another, so that they seldom wait
      add(column, leaf, scratch);
      while (bytes_ > budget_ && postpone_last()) continue;
    }
  }

 private:
  void add(Column& column, const MatrixBlock& leaf, std::vector<double>& scratch) {
    const std::lock_guard lock(column.lock);
    if (column.fate != Fate::kCounting) return;
    const int64_t before = column.values.bytes();
    for (int64_t i = 0; i < leaf.rows; ++i) {
      const double x = leaf.row(i, scratch.data())[column.number];
      if (x != x) continue;
      column.values.add(std::bit_cast<uint64_t>(x + 0.0), 1);
      if (column.values.size() > limit_) break;
    }
    bytes_ += column.values.bytes() - before;
    if (column.values.size() > limit_) end(column, Fate::kOver);
  }
  void end(Column& column, Fate fate) {  // under its lock
    bytes_ -= column.values.bytes();
    column.values = ValueSet{};
    column.fate = fate;
    --counting_;
  }
  bool postpone_last() {
    for (size_t c = columns_.size(); c-- > 1;) {
      Column& column = columns_[c];
      if (column.fate != Fate::kCounting) continue;
      const std::lock_guard lock(column.lock);
      if (column.fate == Fate::kCounting) end(column, Fate::kPostponed);
      return true;
    }
    return false;
  }
  std::vector<Column> columns_;
  int64_t limit_;
  int64_t budget_;
  std::atomic<int64_t> bytes_{0};
  std::atomic<int64_t> counting_{0};
};

// What the ranks found in their rows, put together: the fate that goes before the others, and the counts added.
void join_ranks(Pass& pass, int64_t limit, Context& ctx) {
  if (ctx.ranks() == 1) return;
  std::vector<Fate> fates;
  for (const Column& column : pass.columns()) fates.push_back(column.fate);
  std::vector<Fate> joined(fates.size(), Fate::kCounting);
  for (const Bytes& part : ctx.comm->all_gather(std::as_bytes(std::span<const Fate>(fates)))) {
    for (size_t c = 0; c < joined.size(); ++c) {
      const auto theirs = static_cast<Fate>(part[c]);
      if (joined[c] != Fate::kOver && theirs != Fate::kCounting) joined[c] = theirs;
    }
  }
  for (size_t c = 0; c < joined.size(); ++c) {
    Column& column = pass.columns()[c];
    column.fate = joined[c];
    if (joined[c] != Fate::kCounting) continue;
    const std::vector<Entry> mine = column.values.entries();
    column.values = ValueSet{};
    for (const Bytes& part : ctx.comm->all_gather(std::as_bytes(std::span<const Entry>(mine)))) {
      const auto* theirs = reinterpret_cast<const Entry*>(part.data());
      for (size_t i = 0; i < part.size() / sizeof(Entry); ++i) column.values.add(theirs[i].key, theirs[i].count);
    }
    if (column.values.size() > limit) column.fate = Fate::kOver;
  }
}

ValueCounts counts_of(const ValueSet& values, size_t most) {
  ValueCounts out;
  out.distinct = values.size();
  std::vector<Entry> all = values.entries();
  const auto before = [](const Entry& a, const Entry& b) {
    return a.count != b.count ? a.count > b.count : std::bit_cast<double>(a.key) < std::bit_cast<double>(b.key);
  };
  const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(most, all.size()));
  std::partial_sort(all.begin(), end, all.end(), before);
  for (auto one = all.begin(); one != end; ++one) {
    out.values.push_back(std::bit_cast<double>(one->key));
    out.counts.push_back(one->count);
  }
  return out;
}

}  // namespace

std::vector<ValueCounts> count_values(const Source& source, int64_t limit, size_t most, Context& ctx) {
  const int64_t budget = std::max(ValueSet::bytes_of(limit), ctx.memory / 8);  // one column at least
  const LeafRange range = leaf_range(source.rows(), source.cols(), ctx);
  const auto workers = static_cast<size_t>(worker_count(ctx));
  std::vector<BlockBuffer> buffers(workers);
  std::vector<std::vector<double>> scratch(workers, std::vector<double>(static_cast<size_t>(source.cols())));
  std::vector<ValueCounts> out(static_cast<size_t>(source.cols()));
  std::vector<int64_t> left(out.size());
  std::iota(left.begin(), left.end(), int64_t{0});
  while (!left.empty()) {
    Pass pass(left, limit, budget);
    for_each_leaf(range, ctx, [&](int worker, int64_t number) {
      if (!pass.counting()) return;  // nothing more to learn from the rows
      const auto w = static_cast<size_t>(worker);
      const int64_t first = number * range.rows_per_leaf;
      const MatrixBlock leaf = source.read(first, std::min(range.rows_per_leaf, range.rows - first), buffers[w]);
      pass.accumulate(leaf, w * left.size() / workers, scratch[w]);
    });
    join_ranks(pass, limit, ctx);
    std::vector<int64_t> again;
    for (const Column& column : pass.columns()) {
      if (column.fate == Fate::kPostponed) {
        again.push_back(column.number);
      } else if (column.fate == Fate::kOver) {
        out[static_cast<size_t>(column.number)] = {false, limit + 1, {}, {}};
      } else {
        out[static_cast<size_t>(column.number)] = counts_of(column.values, most);
      }
    }
    left = std::move(again);
  }
  return out;
}

}  // namespace sluice
