#include "sluice/cluster/potential.h"

#include <algorithm>
#include <cmath>

#include "sluice/core/csr.h"
#include "sluice/kernels/assign.h"
#include "sluice/kernels/seed_update.h"

namespace sluice {
namespace {

using U128 = unsigned __int128;

// Adds over all ranks, in four pieces of 32 bits that no number of ranks makes overflow.
void add_ranks(std::vector<U128>& sums, Context& ctx) {
  if (ctx.ranks() == 1) return;
  std::vector<int64_t> pieces;
  for (const U128 sum : sums) {
    for (int shift = 0; shift < 128; shift += 32) pieces.push_back(static_cast<int64_t>(static_cast<uint64_t>(sum >> shift) & 0xffffffff));
  }
  ctx.comm->sum(pieces);
  for (size_t i = 0; i < sums.size(); ++i) {
    sums[i] = 0;
    for (size_t p = 4; p-- > 0;) sums[i] = (sums[i] << 32) + static_cast<uint64_t>(pieces[4 * i + p]);
  }
}

// floor(total * u / 2^64): below total, for u uniform over 64 bits.
U128 share(U128 total, uint64_t u) {
  const U128 high = static_cast<uint64_t>(total >> 64);
  const U128 low = static_cast<uint64_t>(total);
  return high * u + ((low * u) >> 64);
}

int exponent_of(double x) {
  int exponent = 0;
  std::frexp(x, &exponent);
  return exponent;
}

// What seed_distances of the kernels gives, by the form of the leaf.
void seed(const MatrixBlock& leaf, const Matrix<double>& points, const double* current, double* out, const Geometry& geometry,
          kernels::SeedScratch& scratch) {
  kernels::seed_distances(leaf.view(), geometry.metric, points.values.data(), points.rows, current, out, scratch, geometry.shift.data(),
                          geometry.scale_exponent);
}
void seed(const CsrBlock& leaf, const Matrix<double>& points, const double* current, double* out, const Geometry& geometry,
          kernels::SparseScratch& scratch) {
  kernels::sparse_seed_distances(leaf.view(), geometry.metric, points.values.data(), points.rows, current, out, scratch);
}

}  // namespace

Potential::Potential(const Source& rows, const Geometry& geometry, Context& ctx)
    : rows_(&rows), geometry_(&geometry), ctx_(&ctx), range_(leaf_range(rows.rows(), rows.cols(), ctx)), distance_(range_, 1.0) {
  sum_leaves();
}

// Below 2^62; the product with a power of two is exact. 1 - cos of a row with itself may round to a little below 0: no share.
uint64_t Potential::quantised(double distance, double weight) const {
  return distance > 0 ? static_cast<uint64_t>(static_cast<int64_t>(distance * weight * unit_)) : 0;
}

// Chooses the unit from the largest potential, then sums by leaf.
void Potential::sum_leaves() {
  const auto leaves = static_cast<size_t>(range_.last - range_.first);
  std::vector<double> largest(leaves, 0.0);
  std::vector<BlockBuffer> buffers(static_cast<size_t>(ctx_->threads));
  const auto each_row = [&](int worker, int64_t leaf, auto&& f) {
    const int64_t first = leaf * range_.rows_per_leaf;
    const int64_t count = std::min(range_.rows_per_leaf, range_.rows - first);
    const double* weights = read_weights(*rows_, first, count, buffers[static_cast<size_t>(worker)]);
    for (int64_t i = 0; i < count; ++i) f(distance_[first + i], weights == nullptr ? 1.0 : weights[i]);
  };
  for_each_leaf(range_, *ctx_, [&](int worker, int64_t leaf) {
    double most = 0;
    each_row(worker, leaf, [&](double d, double w) { most = std::max(most, d * w); });
    largest[static_cast<size_t>(leaf - range_.first)] = most;
  });
  double most = leaves == 0 ? 0 : *std::max_element(largest.begin(), largest.end());
  if (ctx_->ranks() > 1) {
    for (const Bytes& theirs : ctx_->comm->all_gather(std::as_bytes(std::span(&most, 1))))
      most = std::max(most, ByteReader(theirs).get<double>());
  }
  scale_ = most > 0 ? std::min(1000, 62 - exponent_of(most)) : 0;
  unit_ = std::ldexp(1.0, scale_);
  leaves_.assign(leaves, 0);
  for_each_leaf(range_, *ctx_, [&](int worker, int64_t leaf) {
    U128 sum = 0;
    each_row(worker, leaf, [&](double d, double w) { sum += quantised(d, w); });
    leaves_[static_cast<size_t>(leaf - range_.first)] = sum;
  });
  mine_ = before_ = total_ = 0;
  for (const U128 leaf : leaves_) mine_ += leaf;
  if (ctx_->ranks() == 1) {
    total_ = mine_;
    return;
  }
  int rank = 0;
  for (const Bytes& theirs : ctx_->comm->all_gather(std::as_bytes(std::span(&mine_, 1)))) {
    const U128 sum = ByteReader(theirs).get<U128>();
    if (rank++ < ctx_->rank()) before_ += sum;
    total_ += sum;
  }
}

int64_t Potential::draw(Random& random) const {
  const uint64_t u = random.bits();
  if (total_ == 0) return static_cast<int64_t>(share(static_cast<U128>(static_cast<uint64_t>(range_.rows)), u));
  const U128 wanted = share(total_, u);
  int64_t found = std::numeric_limits<int64_t>::max();
  if (wanted >= before_ && wanted - before_ < mine_) {
    U128 left = wanted - before_;
    size_t leaf = 0;
    while (left >= leaves_[leaf]) left -= leaves_[leaf++];
    const int64_t first = (range_.first + static_cast<int64_t>(leaf)) * range_.rows_per_leaf;
    BlockBuffer buffer;
    const double* weights = read_weights(*rows_, first, std::min(range_.rows_per_leaf, range_.rows - first), buffer);
    for (found = first;; ++found) {
      const uint64_t q = quantised(distance_[found], weights == nullptr ? 1.0 : weights[found - first]);
      if (left < q) break;
      left -= q;
    }
  }
  return ctx_->ranks() == 1 ? found : all_min(*ctx_->comm, found);
}

std::vector<unsigned __int128> Potential::with(const Matrix<double>& candidates) const {
  const auto count = static_cast<size_t>(candidates.rows);
  const auto threads = static_cast<size_t>(ctx_->threads);
  std::vector<std::vector<U128>> sums(threads, std::vector<U128>(count, 0));
  std::vector<std::vector<double>> out(threads);
  map_with_scratch<kernels::SeedScratch>(*rows_, *ctx_, [&](int worker, const auto& leaf, auto& scratch) {
    const auto w = static_cast<size_t>(worker);
    out[w].resize(static_cast<size_t>(leaf.rows) * count);
    seed(leaf, candidates, started_ ? distance_.at(leaf.first_row) : nullptr, out[w].data(), *geometry_, scratch);
    for (int64_t i = 0; i < leaf.rows; ++i) {
      for (size_t c = 0; c < count; ++c) sums[w][c] += quantised(out[w][static_cast<size_t>(i) * count + c], leaf.weight(i));
    }
  });
  for (size_t w = 1; w < threads; ++w) {
    for (size_t c = 0; c < count; ++c) sums[0][c] += sums[w][c];
  }
  add_ranks(sums[0], *ctx_);
  return sums[0];
}

void Potential::add(const Matrix<double>& centers) {
  const auto threads = static_cast<size_t>(ctx_->threads);
  if (centers.rows == 1) {
    map_with_scratch<kernels::SeedScratch>(*rows_, *ctx_, [&](int, const auto& leaf, auto& scratch) {
      double* distance = distance_.at(leaf.first_row);
      seed(leaf, centers, started_ ? distance : nullptr, distance, *geometry_, scratch);
    });
  } else {
    const kernels::AssignPlan plan(geometry_->metric, centers.values.data(), centers.rows, centers.cols, geometry_->shift.data(),
                                   geometry_->scale_exponent, geometry_->sparse);
    std::vector<std::vector<int32_t>> labels(threads);
    std::vector<std::vector<double>> fresh(threads);
    map_with_scratch<kernels::AssignScratch>(*rows_, *ctx_, [&](int worker, const auto& leaf, auto& scratch) {
      const auto w = static_cast<size_t>(worker);
      labels[w].resize(static_cast<size_t>(leaf.rows));
      fresh[w].resize(static_cast<size_t>(leaf.rows));
      plan.assign(leaf.view(), labels[w].data(), fresh[w].data(), scratch);
      double* distance = distance_.at(leaf.first_row);
      for (int64_t i = 0; i < leaf.rows; ++i) {
        const double d = fresh[w][static_cast<size_t>(i)];
        distance[i] = started_ ? std::min(distance[i], d) : d;
      }
    });
  }
  started_ = true;
  sum_leaves();
}

double Potential::total() const {
  return std::ldexp(static_cast<double>(static_cast<uint64_t>(total_ >> 64)), 64 - scale_) +
         std::ldexp(static_cast<double>(static_cast<uint64_t>(total_)), -scale_);
}

}  // namespace sluice
