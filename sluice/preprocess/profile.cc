#include "sluice/preprocess/profile.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "sluice/core/duplicates.h"
#include "sluice/core/error.h"
#include "sluice/core/fold.h"
#include "sluice/core/quantiles.h"
#include "sluice/core/text.h"
#include "sluice/preprocess/column_moments.h"
#include "sluice/preprocess/encode.h"
#include "sluice/preprocess/frequent.h"

namespace sluice {
namespace {

constexpr size_t kFrequent = 5;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Depends on the number of columns alone, so that a profile is the same whatever the memory.
int64_t distinct_limit(int64_t columns) {
  return std::clamp<int64_t>(2'000'000 / std::max<int64_t>(1, columns), 100, 100'000);
}

bool is_sentinel(double x) {
  static constexpr double kKnown[] = {9, 99, 999, 9999, 99999, 999999, 9999999, 1e20, 9.969209968386869e36};
  return std::find(std::begin(kKnown), std::end(kKnown), std::fabs(x)) != std::end(kKnown) && x != 9;
}

// What is looked for in a column once its quartiles are known.
struct Search {
  double low = 0;  // of a sentinel, NaN: none
  double high = 0;
  double far_below = -std::numeric_limits<double>::infinity();
  double far_above = std::numeric_limits<double>::infinity();
};
struct Found {
  int64_t low = 0, high = 0, far = 0;
};

class SearchState {
 public:
  explicit SearchState(const std::vector<Search>& search) : search_(&search), found_(search.size()) {}
  void accumulate(const MatrixBlock& leaf) {
    scratch_.resize(static_cast<size_t>(leaf.cols));
    for (int64_t i = 0; i < leaf.rows; ++i) {
      const double* row = leaf.row(i, scratch_.data());
      for (size_t j = 0; j < found_.size(); ++j) {
        const Search& s = (*search_)[j];
        found_[j].low += row[j] == s.low ? 1 : 0;
        found_[j].high += row[j] == s.high ? 1 : 0;
        found_[j].far += row[j] < s.far_below || row[j] > s.far_above ? 1 : 0;
      }
    }
  }
  void merge(SearchState&& other) {
    for (size_t j = 0; j < found_.size(); ++j) {
      found_[j].low += other.found_[j].low;
      found_[j].high += other.found_[j].high;
      found_[j].far += other.found_[j].far;
    }
  }
  void save(ByteWriter& out) const { out.put_all(std::span<const Found>(found_)); }
  void load(ByteReader& in) {
    auto found = in.get_all<Found>();
    if (found.size() != found_.size()) in.damaged("has another number of columns");
    found_ = std::move(found);
  }
  int64_t bytes() const { return static_cast<int64_t>(found_.size() * sizeof(Found)); }
  const Found& found(size_t j) const { return found_[j]; }

 private:
  const std::vector<Search>* search_;
  std::vector<Found> found_;
  std::vector<double> scratch_;
};

// What each column of numbers is searched for, by its range and quartiles.
std::vector<Search> searches(const Source& numbers, const Matrix<double>& quantiles) {
  std::vector<Search> out;
  for (int64_t j = 0; j < numbers.cols(); ++j) {
    const ColumnStatistics& c = numbers.stats.columns[static_cast<size_t>(j)];
    Search s{kNaN, kNaN};
    const double first = quantiles(2, j);
    const double third = quantiles(4, j);
    const double iqr = third - first;
    if (c.finite > 0 && std::isfinite(iqr)) {
      if (is_sentinel(c.min) && c.min < first - 1.5 * iqr) s.low = c.min;
      if (is_sentinel(c.max) && c.max > third + 1.5 * iqr) s.high = c.max;
      if (iqr > 0) {
        s.far_below = first - 10 * iqr;
        s.far_above = third + 10 * iqr;
      }
    }
    out.push_back(s);
  }
  return out;
}

void suspect_numbers(ColumnProfile& c, const Search& s, const Found& found, int64_t rows) {
  const auto suspect = [&](std::string text) { c.suspicious.push_back(std::move(text)); };
  const auto sentinel = [&](double value, int64_t count) {
    if (count >= 3)
      suspect("the value " + to_text(value) + " occurs " + std::to_string(count) + " times, far from the others: a stand-in for missing?");
  };
  sentinel(s.low, found.low);
  sentinel(s.high, found.high);
  const int64_t far = found.far - (found.low >= 3 && s.low < s.far_below ? found.low : 0) -
                      (found.high >= 3 && s.high > s.far_above ? found.high : 0) - c.infinite;
  if (far > 0) suspect(std::to_string(far) + " values lie more than 10 interquartile ranges beyond the quartiles");
  if (c.infinite > 0) suspect(std::to_string(c.infinite) + " values are infinite");
  if (c.type == ColumnType::kInteger && c.distinct_exact && c.distinct == rows && rows >= 10)
    suspect("a different whole number in every row: an id?");
}

void profile_numbers(const Table& table, Profile& out, Context& ctx) {
  const Source& numbers = *table.numbers;
  const Matrix<double> quantiles = column_quantiles(numbers, kProfileQuantiles, ctx);
  bool infinite = false;
  for (const ColumnStatistics& c : numbers.stats.columns) infinite |= c.infinite > 0;
  ColumnMoments moments;
  if (!infinite) moments = column_moments(numbers, ctx);
  const std::vector<ValueCounts> counts = count_values(numbers, distinct_limit(numbers.cols()), kFrequent, ctx);
  const std::vector<Search> search = searches(numbers, quantiles);
  const SearchState found = fold(numbers, [&] { return SearchState(search); }, ctx);
  for (size_t i = 0; i < table.columns.size(); ++i) {
    if (table.columns[i].type == ColumnType::kText) continue;
    ColumnProfile& c = out.columns[i];
    const auto j = static_cast<size_t>(table.columns[i].index);
    const ColumnStatistics& stats = numbers.stats.columns[j];
    c.missing = stats.missing;
    c.infinite = stats.infinite;
    c.constant = stats.infinite == 0 && stats.finite > 0 && stats.min == stats.max;
    const bool any = stats.finite > 0;
    c.min = any ? stats.min : kNaN;
    c.max = any ? stats.max : kNaN;
    c.mean = any && !infinite ? moments.mean[j] : kNaN;
    c.deviation = any && !infinite ? moments.deviation[j] : kNaN;
    for (size_t q = 0; q < c.quantiles.size(); ++q) c.quantiles[q] = quantiles(static_cast<int64_t>(q), static_cast<int64_t>(j));
    c.distinct_exact = counts[j].complete;
    c.distinct = counts[j].distinct;
    for (size_t v = 0; v < counts[j].values.size(); ++v) c.frequent.push_back({to_text(counts[j].values[v]), counts[j].counts[v]});
    suspect_numbers(c, search[j], found.found(j), out.rows);
    if (table.columns[i].beyond_double) c.suspicious.emplace_back("whole numbers beyond 2^53, which no feature holds exactly: an id?");
  }
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

void suspect_texts(ColumnProfile& c, const LevelCounts& counts, int64_t rows) {
  const auto suspect = [&](std::string text) { c.suspicious.push_back(std::move(text)); };
  int64_t numbers = 0, filled = 0, spaced = 0, variants = 0;
  const std::string* exception = nullptr;
  std::unordered_map<std::string, int> folded;
  for (const auto& [level, count] : counts) {
    filled += count;
    if (parse_number<double>(level)) {
      numbers += count;
    } else if (exception == nullptr) {
      exception = &level;
    }
    if (level.front() == ' ' || level.back() == ' ' || level.front() == '\t' || level.back() == '\t') spaced += count;
    if (counts.size() <= 100'000 && ++folded[lower(level)] == 2) ++variants;
  }
  if (numbers * 10 >= filled * 9 && exception != nullptr && numbers > 0) {
    suspect("numbers but for " + std::to_string(filled - numbers) + " cells, such as '" + *exception + "'");
  } else if (numbers * 10 >= filled && exception != nullptr) {
    suspect("numbers (" + std::to_string(numbers) + ") and texts (" + std::to_string(filled - numbers) + ") mixed");
  }
  if (spaced > 0) suspect(std::to_string(spaced) + " cells begin or end with a space");
  if (variants > 0) suspect(std::to_string(variants) + " levels are written with different capitals");
  if (c.distinct == rows && rows >= 10) suspect("a different text in every row: an id?");
}

void profile_text_column(const TextColumn& column, ColumnProfile& c, int64_t rows) {
  LevelCounts counts = level_counts(column, {});
  int64_t filled = 0;
  for (const auto& [level, count] : counts) filled += count;
  c.missing = rows - filled;
  c.constant = counts.size() == 1;
  c.min = c.max = c.mean = c.deviation = kNaN;
  c.quantiles.fill(kNaN);
  c.distinct = static_cast<int64_t>(counts.size());
  suspect_texts(c, counts, rows);
  std::stable_sort(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  for (size_t v = 0; v < std::min(kFrequent, counts.size()); ++v) c.frequent.push_back({counts[v].first, counts[v].second});
}

}  // namespace

Profile profile(const Table& table, Context& ctx) {
  if (table.rows == 0) fail(ErrorCode::kBadInput, "input", "it has no rows", "give a table with at least one");
  Profile out;
  out.rows = table.rows;
  out.rejected = table.n_rejected();
  for (const TableColumn& column : table.columns) {
    out.columns.emplace_back();
    out.columns.back().name = column.name;
    out.columns.back().type = column.type;
  }
  if (table.numbers != nullptr) {
    if (!table.numbers->stats.measured) table.numbers->stats = measure(*table.numbers, ctx);
    profile_numbers(table, out, ctx);
  }
  for (size_t i = 0; i < table.columns.size(); ++i) {
    if (table.columns[i].type == ColumnType::kText)
      profile_text_column(*table.texts[static_cast<size_t>(table.columns[i].index)], out.columns[i], out.rows);
  }
  out.duplicate_rows = static_cast<int64_t>(find_duplicates(table, ctx).size());
  return out;
}

}  // namespace sluice
