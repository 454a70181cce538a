#include "sluice/core/leaf_scan.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace sluice::detail {
namespace {

constexpr int64_t kChunkValues = 2048;  // 16 KiB as float64: half of a first-level cache
constexpr int64_t kChunkRows = 8;       // at least, for wide rows: the columns' accumulators are loaded once a chunk
constexpr int64_t kMostLanes = 64;      // up to here rows are taken together
constexpr int64_t kFlushRows = 32768;   // the 16-bit counts are taken out before they could overflow

int exponent_of(double x) {
  return std::ilogb(x);
}

}  // namespace

int bin_of(int exponent) {
  if (exponent < -128) return (exponent + 1088) / 16;
  if (exponent < 128) return kLowBins + exponent + 128;
  return kLowBins + kFineBins + (exponent - 128) / 16;
}

BinEdges edges_of(int bin) {
  if (bin < kLowBins) return {16 * bin - 1088, 16 * bin - 1072};
  if (bin < kLowBins + kFineBins) return {bin - kLowBins - 128, bin - kLowBins - 127};
  const int low = 128 + 16 * (bin - kLowBins - kFineBins);
  return {low, low + 16};
}

void Seen::merge(const Seen& other) {
  const auto earlier = [](int64_t a, int64_t b) { return a < 0 ? b : b < 0 ? a : std::min(a, b); };
  missing += other.missing;
  infinite += other.infinite;
  first_missing = earlier(first_missing, other.first_missing);
  first_infinite = earlier(first_infinite, other.first_infinite);
  zeros += other.zeros;
  finite += other.finite;
  min = std::min(min, other.min);
  max = std::max(max, other.max);
  fraction |= other.fraction;
  wide |= other.wide;
}

template <class T>
void LeafScanner::Lanes<T>::reset(size_t count) {
  min.assign(count, std::numeric_limits<T>::infinity());
  max.assign(count, -std::numeric_limits<T>::infinity());
  zeros.assign(count, 0);
  fraction.assign(count, 0);
  wide.assign(count, 0);
}

LeafScanner::LeafScanner(int64_t cols) : cols_(cols), group_(1) {
  while (group_ < 16 && 2 * group_ * cols <= kMostLanes) group_ *= 2;
  const int64_t rows = std::max(kChunkValues / std::max<int64_t>(1, cols), kChunkRows);
  chunk_ = (rows + group_ - 1) / group_ * group_;
}

const double* LeafScanner::widened(const MatrixBlock& chunk) {
  if (chunk.dtype == DType::kF64 && chunk.stride == cols_) return static_cast<const double*>(chunk.data);
  scratch_.resize(static_cast<size_t>(chunk_ * cols_));
  if (chunk.dtype == DType::kF32 && chunk.stride == cols_) {
    const auto* from = static_cast<const float*>(chunk.data);
    for (int64_t i = 0; i < chunk.rows * cols_; ++i) scratch_[static_cast<size_t>(i)] = from[i];
    return scratch_.data();
  }
  for (int64_t i = 0; i < chunk.rows; ++i) {
    double* to = scratch_.data() + i * cols_;
    const double* row = chunk.row(i, to);
    if (row != to) std::copy_n(row, cols_, to);
  }
  return scratch_.data();
}

template <class T>
kernels::ScanFlags LeafScanner::scan_chunk(const T* rows, int64_t count, Lanes<T>& lanes) {
  if (lanes.min.empty()) lanes.reset(static_cast<size_t>(group_ * cols_));
  const int64_t wide_rows = count / group_;
  const int64_t width = group_ * cols_;
  kernels::ScanFlags flags = kernels::column_scan(rows, wide_rows, width, width, lanes.view(), checks_);
  flags |= kernels::column_scan(rows + wide_rows * width, count % group_, cols_, cols_, lanes.view(), checks_);
  return flags;
}

// Counts what is not finite; the rows with every NaN of one pattern.
const double* LeafScanner::note_not_finite(const double* rows, int64_t count, int64_t first_row, std::span<Seen> seen) {
  scratch_.resize(static_cast<size_t>(chunk_ * cols_));
  if (rows != scratch_.data()) std::copy_n(rows, count * cols_, scratch_.data());
  not_finite_.resize(static_cast<size_t>(cols_));
  double* x = scratch_.data();
  for (int64_t i = 0; i < count; ++i) {
    for (size_t j = 0; j < seen.size(); ++j, ++x) {
      if (std::fabs(*x) < std::numeric_limits<double>::infinity()) continue;
      const bool missing = *x != *x;
      if (missing) *x = std::numeric_limits<double>::quiet_NaN();
      ++(missing ? seen[j].missing : seen[j].infinite);
      ++not_finite_[j];
      int64_t& first = missing ? seen[j].first_missing : seen[j].first_infinite;
      if (first < 0 || first_row + i < first) first = first_row + i;
    }
  }
  return scratch_.data();
}

void LeafScanner::count_exponents(const double* rows, int64_t count) {
  const int64_t wide_rows = count / group_;
  kernels::count_exponents(rows, wide_rows, group_ * cols_, counts_.data());
  kernels::count_exponents(rows + wide_rows * group_ * cols_, count % group_, cols_, counts_.data());
}

// For chunks with values outside the kernel's window. Zeros and what is not finite are counted where the kernel counts them.
void LeafScanner::count_exponents_slowly(const double* rows, int64_t count, std::span<int64_t> bins) {
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t j = 0; j < cols_; ++j, ++rows) {
      if (*rows == 0 || !(std::fabs(*rows) < std::numeric_limits<double>::infinity())) {
        kernels::count_exponents(rows, 1, 1, counts_.data() + j * kernels::kExponentStride);
      } else {
        ++bins[static_cast<size_t>(j * kBins + bin_of(exponent_of(*rows)))];
      }
    }
  }
}

template <class T>
void LeafScanner::take_out(Lanes<T>& lanes, std::span<Seen> seen) {
  if (lanes.min.empty()) return;
  for (size_t lane = 0; lane < lanes.min.size(); ++lane) {
    Seen& to = seen[lane % seen.size()];
    to.min = std::min(to.min, static_cast<double>(lanes.min[lane]));
    to.max = std::max(to.max, static_cast<double>(lanes.max[lane]));
    to.zeros += lanes.zeros[lane];
    to.fraction |= lanes.fraction[lane];
    to.wide |= lanes.wide[lane];
  }
  lanes.reset(lanes.min.size());
}

// Moves what the lanes and counts hold of the last `rows` rows to seen and bins.
void LeafScanner::flush(int64_t rows, std::span<Seen> seen, std::span<int64_t> bins) {
  not_finite_.resize(static_cast<size_t>(cols_));
  std::vector<int64_t> zeros(seen.size());
  for (size_t j = 0; j < seen.size(); ++j) zeros[j] = -seen[j].zeros;
  take_out(narrow_, seen);
  take_out(wide_, seen);
  checks_ = {};
  checks_.fraction = std::any_of(seen.begin(), seen.end(), [](const Seen& s) { return s.fraction == 0; });
  checks_.wide = std::any_of(seen.begin(), seen.end(), [](const Seen& s) { return s.wide == 0; });
  for (int64_t lane = 0; lane < group_ * cols_; ++lane) {
    const uint16_t* counts = counts_.data() + lane * kernels::kExponentStride;
    int64_t* fine = bins.data() + (lane % cols_) * kBins + kLowBins;
    // Fine bin b is exponent b - 128, counted at (b + 895) mod 256 = (b + 127) mod 256.
    for (int b = 0; b < 129; ++b) fine[b] += counts[b + 127];
    for (int b = 129; b < kFineBins; ++b) fine[b] += counts[b - 129];
  }
  for (size_t j = 0; j < seen.size(); ++j) {
    zeros[j] += seen[j].zeros;
    seen[j].finite += rows - not_finite_[j];
    int64_t* fine = bins.data() + j * kBins + kLowBins;
    fine[129] -= zeros[j];
    fine[128] -= not_finite_[j];
    not_finite_[j] = 0;
  }
  std::fill(counts_.begin(), counts_.end(), uint16_t{0});
}

std::array<uint64_t, 2> LeafScanner::scan(const MatrixBlock& leaf, std::span<Seen> seen, std::span<int64_t> bins) {
  counts_.resize(static_cast<size_t>(group_ * cols_ * kernels::kExponentStride));
  XXH3_state_t hash;
  XXH3_128bits_reset(&hash);
  int64_t since = 0;
  for (int64_t at = 0; at < leaf.rows; at += chunk_) {
    const MatrixBlock chunk = leaf.slice(at, std::min(chunk_, leaf.rows - at));
    const double* rows = widened(chunk);
    const bool floats = chunk.dtype == DType::kF32 && chunk.stride == cols_;
    const kernels::ScanFlags flags =
        floats ? scan_chunk(static_cast<const float*>(chunk.data), chunk.rows, narrow_) : scan_chunk(rows, chunk.rows, wide_);
    if (flags.not_finite) rows = note_not_finite(rows, chunk.rows, chunk.first_row, seen);
    XXH3_128bits_update(&hash, rows, static_cast<size_t>(chunk.rows * cols_) * sizeof(double));
    if (flags.beyond_window) {
      count_exponents_slowly(rows, chunk.rows, bins);
    } else {
      count_exponents(rows, chunk.rows);
    }
    since += chunk.rows;
    if (since + chunk_ > kFlushRows) {
      flush(since, seen, bins);
      since = 0;
    }
  }
  flush(since, seen, bins);
  const XXH128_hash_t digest = XXH3_128bits_digest(&hash);
  return {digest.low64, digest.high64};
}

}  // namespace sluice::detail
