#include "sluice/core/duplicates.h"

#define XXH_INLINE_ALL
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_sort.h>
#include <oneapi/tbb/task_arena.h>
#include <xxhash.h>

#include <algorithm>
#include <limits>

#include "sluice/core/error.h"
#include "sluice/core/table_rows.h"

namespace sluice {
namespace {

constexpr int kRowBits = 40;
constexpr uint64_t kRowMask = (uint64_t{1} << kRowBits) - 1;

// 88 bits of a row's hash above its number: sorting puts equal rows together, the first in front.
struct Entry {
  uint64_t high;
  uint64_t low;
  int64_t row() const { return static_cast<int64_t>(low & kRowMask); }
  bool same_hash(const Entry& o) const { return high == o.high && (low >> kRowBits) == (o.low >> kRowBits); }
  bool operator<(const Entry& o) const { return high != o.high ? high < o.high : low < o.low; }
};

// What is compared: numbers (or null), texts, and the class of each row (or none).
struct Compared {
  int64_t rows = 0;
  const Source* numbers = nullptr;
  std::span<const std::shared_ptr<TextColumn>> texts{};
  std::span<const int32_t> classes{};
};

// One pattern for every missing value, one for both zeros.
double plain(double x) {
  return x != x ? std::numeric_limits<double>::quiet_NaN() : x + 0.0;
}

XXH128_hash_t hash_row(const Compared& table, const double* numbers, int64_t count, int64_t row, std::vector<double>& scratch) {
  scratch.resize(static_cast<size_t>(count));
  for (int64_t j = 0; j < count; ++j) scratch[static_cast<size_t>(j)] = plain(numbers[j]);
  if (!table.classes.empty()) scratch.push_back(table.classes[static_cast<size_t>(row)]);
  if (table.texts.empty()) return XXH3_128bits(scratch.data(), scratch.size() * sizeof(double));
  XXH3_state_t state;
  XXH3_128bits_reset(&state);
  XXH3_128bits_update(&state, scratch.data(), scratch.size() * sizeof(double));
  for (const auto& column : table.texts) {
    const std::string_view text = column->at(row);
    const uint64_t length = text.size();  // so that "a","bc" differs from "ab","c"
    XXH3_128bits_update(&state, &length, sizeof length);
    XXH3_128bits_update(&state, text.data(), text.size());
  }
  return XXH3_128bits_digest(&state);
}

// Reads one row after another, each into a buffer of its own.
class RowReader {
 public:
  explicit RowReader(const Compared& table) : table_(table) {}
  std::vector<double> numbers(int64_t row) {
    if (table_.numbers == nullptr) return {};
    std::vector<double> scratch(static_cast<size_t>(table_.numbers->cols()));
    const double* values = table_.numbers->read(row, 1, buffer_).row(0, scratch.data());
    std::vector<double> out(values, values + scratch.size());
    for (double& x : out) x = plain(x);
    return out;
  }
  bool equal(int64_t a, int64_t b) {
    if (!table_.classes.empty() && table_.classes[static_cast<size_t>(a)] != table_.classes[static_cast<size_t>(b)]) return false;
    for (const auto& column : table_.texts) {
      if (column->at(a) != column->at(b)) return false;
    }
    const std::vector<double> mine = numbers(a);
    const std::vector<double> theirs = numbers(b);
    return mine.empty() || std::memcmp(mine.data(), theirs.data(), mine.size() * sizeof(double)) == 0;
  }

 private:
  const Compared& table_;
  BlockBuffer buffer_;
};

// The entries of all rows whose hash falls into part `part` of `parts`, on every rank, sorted.
std::vector<Entry> entries_of(const Compared& table, uint64_t part, uint64_t parts, Context& ctx) {
  std::vector<std::vector<Entry>> found(static_cast<size_t>(ctx.threads));
  std::vector<std::vector<double>> scratch(static_cast<size_t>(ctx.threads));
  const int64_t count = table.numbers != nullptr ? table.numbers->cols() : 0;
  each_row(table.numbers, table.rows, ctx, [&](int worker, const double* numbers, int64_t row) {
    const auto w = static_cast<size_t>(worker);
    const XXH128_hash_t hash = hash_row(table, numbers, count, row, scratch[w]);
    if (parts > 1 && hash.high64 % parts != part) return;
    found[w].push_back({hash.high64, (hash.low64 & ~kRowMask) | static_cast<uint64_t>(row)});
  });
  std::vector<Entry> all = gather_finds(found, ctx);
  const oneapi::tbb::global_control limit(oneapi::tbb::global_control::max_allowed_parallelism, static_cast<size_t>(ctx.threads));
  oneapi::tbb::task_arena arena(ctx.threads);
  arena.execute([&] { oneapi::tbb::parallel_sort(all.begin(), all.end()); });
  return all;
}

std::vector<Duplicate> duplicates_of(const Compared& table, Context& ctx) {
  if (table.rows > static_cast<int64_t>(kRowMask)) {
    fail(ErrorCode::kMemory, "duplicates", "there are more rows than can be compared", "use duplicates keep");
  }
  const int64_t mine = std::max<int64_t>(1 << 20, ctx.memory / 4);
  const int64_t budget = ctx.ranks() > 1 ? all_min(*ctx.comm, mine) : mine;
  const auto parts = static_cast<uint64_t>(table.rows / std::max<int64_t>(1, budget / 32) + 1);  // a vector may hold twice what it uses
  std::vector<Duplicate> out;
  RowReader reader(table);
  for (uint64_t part = 0; part < parts; ++part) {
    const std::vector<Entry> entries = entries_of(table, part, parts, ctx);
    std::vector<int64_t> firsts;  // of one hash: the distinct rows met
    for (size_t i = 0; i < entries.size(); ++i) {
      if (i == 0 || !entries[i].same_hash(entries[i - 1])) {
        firsts.assign(1, entries[i].row());
        continue;
      }
      const int64_t row = entries[i].row();
      const auto same = std::find_if(firsts.begin(), firsts.end(), [&](int64_t first) { return reader.equal(first, row); });
      if (same == firsts.end()) {
        firsts.push_back(row);
      } else {
        out.push_back({row, *same});
      }
    }
  }
  std::sort(out.begin(), out.end(), [](const Duplicate& a, const Duplicate& b) { return a.row < b.row; });
  return out;
}

}  // namespace

std::vector<Duplicate> find_duplicates(const Table& table, Context& ctx) {
  return duplicates_of({table.rows, table.numbers.get(), table.texts}, ctx);
}

std::vector<Duplicate> find_duplicates(const Source& rows, std::span<const int32_t> classes, Context& ctx) {
  return duplicates_of({rows.rows(), &rows, {}, classes}, ctx);
}

}  // namespace sluice
