#include "sluice/core/statistics.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <limits>

#include "sluice/core/csr_statistics.h"
#include "sluice/core/fold.h"
#include "sluice/core/leaf_scan.h"

namespace sluice {
namespace {

using detail::kBins;
using detail::Seen;

// |x| < 2^exponent_above(x).
int exponent_above(double x) {
  int exponent = 0;
  std::frexp(x, &exponent);
  return x == 0 ? -1074 : exponent;
}

class StatisticsState {
 public:
  explicit StatisticsState(int64_t cols) : seen_(static_cast<size_t>(cols)), bins_(static_cast<size_t>(cols) * kBins), scanner_(cols) {}

  // Returns the hash of the leaf's values.
  std::array<uint64_t, 2> accumulate(const MatrixBlock& leaf) { return scanner_.scan(leaf, seen_, bins_); }
  void merge(StatisticsState&& other) {
    for (size_t j = 0; j < seen_.size(); ++j) seen_[j].merge(other.seen_[j]);
    for (size_t i = 0; i < bins_.size(); ++i) bins_[i] += other.bins_[i];
  }
  void save(ByteWriter& out) const {
    out.put_all(std::span<const Seen>(seen_));
    out.put_all(std::span<const int64_t>(bins_));
  }
  void load(ByteReader& in) {
    auto seen = in.get_all<Seen>();
    auto bins = in.get_all<int64_t>();
    if (seen.size() != seen_.size() || bins.size() != bins_.size()) in.damaged("has another number of columns");
    seen_ = std::move(seen);
    bins_ = std::move(bins);
  }
  int64_t bytes() const { return static_cast<int64_t>(seen_.size() * sizeof(Seen) + bins_.size() * 8); }
  ColumnStatistics column(size_t j) const { return detail::column_of(seen_[j], bins_.data() + j * kBins); }

 private:
  std::vector<Seen> seen_;
  std::vector<int64_t> bins_;
  detail::LeafScanner scanner_;
};

}  // namespace

ColumnStatistics detail::column_of(const Seen& seen, const int64_t* bins) {
  ColumnStatistics out;
  out.missing = seen.missing;
  out.infinite = seen.infinite;
  out.first_missing = seen.first_missing;
  out.first_infinite = seen.first_infinite;
  out.zeros = seen.zeros;
  out.finite = seen.finite;
  out.integers = seen.fraction == 0;
  out.fits_f32 = seen.wide == 0;
  if (seen.finite == 0) return out;
  out.min = seen.min + 0.0;  // never -0, which depends on the order
  out.max = seen.max + 0.0;
  const int64_t nonzero = seen.finite - seen.zeros;
  const int top = out.max_exponent();
  if (nonzero == 0) {
    out.median_exponent = out.sum_exponent = top;
    return out;
  }
  double bound = 0;  // of the sum of |x|, in units of 2^top; each bin by its upper edge
  int64_t below = 0;
  for (int b = 0; b < kBins; ++b) {
    if (bins[b] == 0) continue;
    const detail::BinEdges edges = detail::edges_of(b);
    if (below <= (nonzero - 1) / 2) out.median_exponent = std::max(edges.low, -1074);
    below += bins[b];
    bound += std::ldexp(static_cast<double>(bins[b]), std::min(top, edges.high) - top);
  }
  out.sum_exponent = top + exponent_above(bound * 1.0001);
  return out;
}

int ColumnStatistics::max_exponent() const {
  return exponent_above(std::max(std::fabs(min), std::fabs(max)));
}

bool Statistics::clean() const {
  return std::all_of(columns.begin(), columns.end(), [](const ColumnStatistics& c) { return c.missing == 0 && c.infinite == 0; });
}

bool Statistics::fits_f32() const {
  return std::all_of(columns.begin(), columns.end(), [](const ColumnStatistics& c) { return c.fits_f32; });
}

Statistics measure(const Source& source, Context& ctx) {
  if (source.sparse()) return detail::measure_csr(source, ctx);
  const LeafRange range = leaf_range(source.rows(), source.cols(), ctx);
  std::vector<std::array<uint64_t, 2>> leaves(static_cast<size_t>(range.last - range.first));
  std::vector<StatisticsState> states(static_cast<size_t>(worker_count(ctx)), StatisticsState(source.cols()));
  map(source, ctx, [&](int worker, const MatrixBlock& leaf) {
    const auto place = static_cast<size_t>(leaf.first_row / range.rows_per_leaf - range.first);
    leaves[place] = states[static_cast<size_t>(worker)].accumulate(leaf);
  });
  for (size_t w = 1; w < states.size(); ++w) states[0].merge(std::move(states[w]));
  const StatisticsState total = detail::combine_ranks(std::move(states[0]), [&] { return StatisticsState(source.cols()); }, ctx);

  Statistics stats;
  stats.measured = true;
  for (int64_t j = 0; j < source.cols(); ++j) stats.columns.push_back(total.column(static_cast<size_t>(j)));
  XXH3_state_t whole;
  XXH3_128bits_reset(&whole);
  const int64_t shape[2] = {source.rows(), source.cols()};
  XXH3_128bits_update(&whole, shape, sizeof shape);
  const auto mine = std::as_bytes(std::span<const std::array<uint64_t, 2>>(leaves));
  const std::vector<Bytes> parts = ctx.ranks() == 1 ? std::vector<Bytes>{Bytes(mine.begin(), mine.end())} : ctx.comm->all_gather(mine);
  for (const Bytes& part : parts) XXH3_128bits_update(&whole, part.data(), part.size());
  const XXH128_hash_t digest = XXH3_128bits_digest(&whole);
  stats.content = {digest.low64, digest.high64};
  return stats;
}

void require_clean(const Source& source) {
  if (static_cast<int64_t>(source.stats.columns.size()) != source.cols()) {
    fail(ErrorCode::kBug, "source", "it was opened without measuring it", "please report this as a bug");
  }
  int64_t missing = 0, infinite = 0, first = -1;
  std::string column;
  for (int64_t j = 0; j < source.cols(); ++j) {
    const ColumnStatistics& c = source.stats.columns[static_cast<size_t>(j)];
    missing += c.missing;
    infinite += c.infinite;
    for (const int64_t row : {c.first_missing, c.first_infinite}) {
      if (row >= 0 && (first < 0 || row < first)) {
        first = row;
        column = source.name_of(j);
      }
    }
  }
  if (missing + infinite > 0) {
    fail(ErrorCode::kBadInput, "row " + std::to_string(first) + ", column " + column,
         std::to_string(missing) + " missing (NaN) and " + std::to_string(infinite) + " infinite values, the first here",
         "clean the data, or use --nan drop or --nan impute");
  }
  for (int64_t j = 0; j < source.cols(); ++j) {
    const ColumnStatistics& c = source.stats.columns[static_cast<size_t>(j)];
    const double spread = std::max(std::fabs(c.max), std::fabs(c.min)) * 4;
    if (!(spread * spread < std::numeric_limits<double>::max() / static_cast<double>(std::max<int64_t>(1, source.cols())))) {
      fail(ErrorCode::kNumerical, "column " + source.name_of(j),
           "squares of its values overflow double precision (up to " + std::to_string(c.max_exponent()) + " binary digits)",
           "scale the column down");
    }
  }
}

std::string content_hex(const std::array<uint64_t, 2>& content) {
  char text[33];
  std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(content[1]),
                static_cast<unsigned long long>(content[0]));
  return text;
}

}  // namespace sluice
