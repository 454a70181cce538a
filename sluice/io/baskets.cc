#include "sluice/io/baskets.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <unordered_map>

#include "sluice/core/error.h"
#include "sluice/core/text.h"
#include "sluice/io/encoding.h"
#include "sluice/io/line_reader.h"

namespace sluice {
namespace {

constexpr uint64_t kSmall = uint64_t{1} << 20;  // numbers below are looked up by place
constexpr int64_t kStopCheck = 4096;

[[noreturn]] void refuse(const std::string& where, size_t byte, const std::string& why) {
  fail(ErrorCode::kBadInput, where, "byte " + std::to_string(byte + 1) + " " + why,
       "give items as whole numbers parted by spaces, or a CSV with the columns transaction and item");
}

// A byte as an error can show it.
std::string shown(char c) {
  static constexpr char kDigits[] = "0123456789abcdef";
  if (c > ' ' && c < 127) return std::string("'") + c + "'";
  const auto byte = static_cast<unsigned char>(c);
  return std::string("0x") + kDigits[byte >> 4] + kDigits[byte & 15];
}

class Collector {
 public:
  explicit Collector(const Context& ctx) : memory_(ctx.memory / 2), small_(kSmall, -1) {}

  void add_line(std::string_view line, const std::string& file, int64_t number) {
    for (size_t at = 0; at < line.size();) {
      if (line[at] == ' ' || line[at] == '\t') {
        ++at;
        continue;
      }
      const size_t begin = at;
      uint64_t value = 0;
      for (; at < line.size() && line[at] >= '0' && line[at] <= '9'; ++at) {
        const auto digit = static_cast<uint64_t>(line[at] - '0');
        if (value > (uint64_t{std::numeric_limits<int64_t>::max()} - digit) / 10)
          refuse(file + ":" + std::to_string(number), begin, "begins a number past 2^63 - 1");
        value = value * 10 + digit;
      }
      if (at < line.size() && line[at] != ' ' && line[at] != '\t')
        refuse(file + ":" + std::to_string(number), at, "is " + shown(line[at]) + ", which is no part of a whole number");
      push(set_.items, place_of(value));
    }
    push(set_.offsets, static_cast<int64_t>(set_.items.size()));
  }

  int64_t rows() const { return set_.rows(); }

  // Items by value, ascending and once in each basket.
  BasketSet finish() {
    std::vector<int32_t> order(values_.size());
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(),
              [&](int32_t a, int32_t b) { return values_[static_cast<size_t>(a)] < values_[static_cast<size_t>(b)]; });
    std::vector<int32_t> place(order.size());
    for (size_t i = 0; i < order.size(); ++i) {
      place[static_cast<size_t>(order[i])] = static_cast<int32_t>(i);
      set_.numbers.push_back(std::to_string(values_[static_cast<size_t>(order[i])]));
    }
    int64_t to = 0, first = 0;
    for (size_t i = 1; i < set_.offsets.size(); ++i) {
      const int64_t last = set_.offsets[i];
      const auto begin = set_.items.begin() + first, end = set_.items.begin() + last;
      for (auto item = begin; item != end; ++item) *item = place[static_cast<size_t>(*item)];
      if (!std::is_sorted(begin, end)) std::sort(begin, end);
      const auto unique = std::unique(begin, end);
      to = std::copy(begin, unique, set_.items.begin() + to) - set_.items.begin();
      set_.offsets[i] = to;
      first = last;
    }
    set_.items.resize(static_cast<size_t>(to));
    return std::move(set_);
  }

 private:
  int32_t place_of(uint64_t value) {
    int32_t& place = value < kSmall ? small_[value] : large_.try_emplace(value, -1).first->second;
    if (place >= 0) return place;
    if (values_.size() == static_cast<size_t>(std::numeric_limits<int32_t>::max()))
      fail(ErrorCode::kBadInput, "items", "there are more than 2^31 - 1 different ones", "leave rare items out");
    constexpr int64_t kItemBytes = 120;
    if (static_cast<int64_t>(values_.size()) * kItemBytes > memory_) refuse_memory();
    place = static_cast<int32_t>(values_.size());
    values_.push_back(value);
    return place;
  }

  template <class T>
  void push(std::vector<T>& to, T value) {
    if (to.size() == to.capacity()) {  // twice its size for a moment, beside what there is
      const auto held = set_.items.capacity() * sizeof(int32_t) + set_.offsets.capacity() * sizeof(int64_t);
      if (static_cast<int64_t>(held + 2 * to.capacity() * sizeof(T)) > memory_) refuse_memory();
    }
    to.push_back(value);
  }

  [[noreturn]] void refuse_memory() const {
    fail(ErrorCode::kMemory, "baskets", std::to_string(rows()) + " of them and more take over half of the memory budget",
         "give a larger --memory, or mine a sample");
  }

  int64_t memory_;
  BasketSet set_;
  std::vector<uint64_t> values_;  // of items, as they came
  std::vector<int32_t> small_;
  std::unordered_map<uint64_t, int32_t> large_;
};

}  // namespace

BasketSet read_baskets(const std::vector<TextFile>& files, const Context& ctx) {
  Collector all(ctx);
  for (const TextFile& file : files) {
    const std::string where = file.file->where();
    LineReader lines(open_text(file, ""), where);
    const int64_t before = all.rows();
    std::string_view line;
    for (int64_t number = 1; lines.next(line); ++number) {
      all.add_line(line, where, number);
      if (number % kStopCheck == 0 && ctx.stopped())
        fail(ErrorCode::kInterrupted, where, "stopped on request", "run the same command again to go on");
    }
    if (all.rows() == before) fail(ErrorCode::kBadInput, where, "it holds no baskets", "give a file with a basket a line");
  }
  return all.finish();
}

BasketSet read_basket_files(const std::vector<std::string>& paths, const Context& ctx) {
  std::vector<TextFile> files;
  for (const std::string& path : paths) files.push_back({open_file(path, store_options(ctx)), compression_of(path)});
  return read_baskets(files, ctx);
}

}  // namespace sluice
