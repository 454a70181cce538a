#include "sluice/core/csr_statistics.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "sluice/core/fold.h"
#include "sluice/core/leaf_scan.h"

namespace sluice::detail {
namespace {

constexpr int64_t kColumns = 16'384;  // of one pass

// What has been seen of the columns [first, first + count), zeros left out.
class CsrStatistics {
 public:
  CsrStatistics(int64_t first, int64_t count)
      : first_(first), seen_(static_cast<size_t>(count)), bins_(static_cast<size_t>(count) * kBins) {}

  void accumulate(const CsrBlock& leaf) {
    const int64_t last = first_ + static_cast<int64_t>(seen_.size());
    for (int64_t i = 0; i < leaf.rows; ++i) {
      const int32_t* begin = leaf.indices + leaf.begin(i);
      const int32_t* end = begin + leaf.count(i);
      const int32_t* at = std::lower_bound(begin, end, static_cast<int32_t>(first_));
      for (; at != end && *at < last; ++at) take(*at - first_, leaf.values[at - leaf.indices], leaf.first_row + i);
    }
  }
  void merge(CsrStatistics&& other) {
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

  // The column with the zeros that were not kept.
  ColumnStatistics column(size_t j, int64_t rows) const {
    Seen seen = seen_[j];
    const int64_t zeros = rows - seen.finite - seen.missing - seen.infinite;
    if (zeros > 0) {
      seen.zeros += zeros;
      seen.finite += zeros;
      seen.min = std::min(seen.min, 0.0);
      seen.max = std::max(seen.max, 0.0);
    }
    return column_of(seen, bins_.data() + j * kBins);
  }

 private:
  void take(int64_t j, double x, int64_t row) {
    Seen& seen = seen_[static_cast<size_t>(j)];
    if (!(std::fabs(x) < std::numeric_limits<double>::infinity())) {
      const bool missing = std::isnan(x);
      ++(missing ? seen.missing : seen.infinite);
      int64_t& first = missing ? seen.first_missing : seen.first_infinite;
      if (first < 0 || row < first) first = row;
      return;
    }
    ++seen.finite;
    seen.min = std::min(seen.min, x);
    seen.max = std::max(seen.max, x);
    if (std::nearbyint(x) != x) seen.fraction = -1;
    if (static_cast<double>(static_cast<float>(x)) != x) seen.wide = -1;
    ++bins_[static_cast<size_t>(j * kBins + bin_of(std::ilogb(x)))];
  }
  int64_t first_;
  std::vector<Seen> seen_;
  std::vector<int64_t> bins_;
};

// XXH3-128 of a leaf: the numbers of values of its rows, their columns, the values.
std::array<uint64_t, 2> hash_of(const CsrBlock& leaf) {
  XXH3_state_t hash;
  XXH3_128bits_reset(&hash);
  for (int64_t i = 0; i < leaf.rows; ++i) {
    const int64_t count = leaf.count(i);
    XXH3_128bits_update(&hash, &count, sizeof count);
  }
  const auto entries = static_cast<size_t>(leaf.begin(leaf.rows));
  XXH3_128bits_update(&hash, leaf.indices, entries * sizeof(int32_t));
  XXH3_128bits_update(&hash, leaf.values, entries * sizeof(double));
  const XXH128_hash_t digest = XXH3_128bits_digest(&hash);
  return {digest.low64, digest.high64};
}

std::array<uint64_t, 2> content_of(const Source& source, Context& ctx) {
  const LeafRange range = leaf_range(source.rows(), source.cols(), ctx);
  std::vector<std::array<uint64_t, 2>> leaves(static_cast<size_t>(range.last - range.first));
  map_csr(source, ctx, [&](int, const CsrBlock& leaf) {
    leaves[static_cast<size_t>(leaf.first_row / range.rows_per_leaf - range.first)] = hash_of(leaf);
  });
  XXH3_state_t whole;
  XXH3_128bits_reset(&whole);
  const int64_t shape[2] = {source.rows(), source.cols()};
  XXH3_128bits_update(&whole, shape, sizeof shape);
  const auto mine = std::as_bytes(std::span<const std::array<uint64_t, 2>>(leaves));
  const std::vector<Bytes> parts = ctx.ranks() == 1 ? std::vector<Bytes>{Bytes(mine.begin(), mine.end())} : ctx.comm->all_gather(mine);
  for (const Bytes& part : parts) XXH3_128bits_update(&whole, part.data(), part.size());
  const XXH128_hash_t digest = XXH3_128bits_digest(&whole);
  return {digest.low64, digest.high64};
}

}  // namespace

Statistics measure_csr(const Source& source, Context& ctx) {
  Statistics stats;
  stats.measured = true;
  for (int64_t first = 0; first < source.cols(); first += kColumns) {
    const int64_t count = std::min(kColumns, source.cols() - first);
    const auto make = [&] { return CsrStatistics(first, count); };
    std::vector<CsrStatistics> states(static_cast<size_t>(worker_count(ctx)), make());
    map_csr(source, ctx, [&](int worker, const CsrBlock& leaf) { states[static_cast<size_t>(worker)].accumulate(leaf); });
    for (size_t w = 1; w < states.size(); ++w) states[0].merge(std::move(states[w]));
    const CsrStatistics total = combine_ranks(std::move(states[0]), make, ctx);
    for (int64_t j = 0; j < count; ++j) stats.columns.push_back(total.column(static_cast<size_t>(j), source.rows()));
  }
  stats.content = content_of(source, ctx);
  return stats;
}

}  // namespace sluice::detail
