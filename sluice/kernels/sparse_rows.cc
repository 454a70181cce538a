#include "sluice/kernels/sparse_rows.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "sluice/kernels/assign_ref.h"
#include "sluice/kernels/dist64.h"

namespace sluice::kernels {
namespace {

constexpr int64_t kBlock = 16;  // centres whose lanes stay in the first-level cache together
constexpr int64_t kLanes = 8;   // of dist64.h

double tree(const double* lane, int64_t stride) {
  return ((lane[0] + lane[4 * stride]) + (lane[2 * stride] + lane[6 * stride])) +
         ((lane[stride] + lane[5 * stride]) + (lane[3 * stride] + lane[7 * stride]));
}

// Lays the row out in scratch.dense for as long as it lives.
class WrittenOut {
 public:
  WrittenOut(const SparseRows& rows, int64_t row, SparseScratch& scratch)
      : indices_(rows.indices + rows.begin(row)), count_(rows.count(row)), dense_(scratch.dense.data()) {
    const double* values = rows.values + rows.begin(row);
    for (int64_t p = 0; p < count_; ++p) dense_[indices_[p]] = values[p];
  }
  ~WrittenOut() {
    for (int64_t p = 0; p < count_; ++p) dense_[indices_[p]] = 0;
  }
  WrittenOut(const WrittenOut&) = delete;
  WrittenOut& operator=(const WrittenOut&) = delete;
  const double* values() const { return dense_; }

 private:
  const int32_t* indices_;
  int64_t count_;
  double* dense_;
};

// Of a point; candidates are rows as a rule, and so hold few.
struct NonZeros {
  std::vector<int32_t> indices;
  std::vector<double> values;
  void take(const double* point, int64_t d) {
    for (int64_t j = 0; j < d; ++j) {
      if (point[j] == 0) continue;
      indices.push_back(static_cast<int32_t>(j));
      values.push_back(point[j]);
    }
  }
  // Whether a comparison entry by entry is quicker than one of all columns, eight at a time.
  bool few(int64_t d) const { return static_cast<int64_t>(values.size()) < d / 32; }
};

void prepare(const SparseRows& rows, SparseScratch& scratch) {
  if (static_cast<int64_t>(scratch.dense.size()) < rows.cols) scratch.dense.assign(static_cast<size_t>(rows.cols), 0.0);
}

// Half a squared distance by products, |c|^2/2 - x.c + |x|^2/2, and the one dist64.h gives differ by less: each sum has a relative error
// of (terms + 2) 2^-53 of its absolute terms, which add up to (|x| + |c|)^2 / 2 at most. Twice what the two need together.
double error_bound(double row_norm, double longest, int64_t count, int64_t d) {
  const double reach = std::sqrt(row_norm) + longest;
  return static_cast<double>(2 * count + d / 2 + 64) * 0x1p-53 * reach * reach + std::numeric_limits<double>::min();
}

}  // namespace

double sparse_dot(const int32_t* indices, const double* values, int64_t count, const double* b) noexcept {
  double lane[kLanes] = {};
  for (int64_t p = 0; p < count; ++p) {
    const int32_t j = indices[p];
    lane[j & 7] = std::fma(values[p], b[j], lane[j & 7]);
  }
  return tree(lane, 1);
}

double sparse_square(const int32_t* indices, const double* values, int64_t count) noexcept {
  double lane[kLanes] = {};
  for (int64_t p = 0; p < count; ++p) lane[indices[p] & 7] = std::fma(values[p], values[p], lane[indices[p] & 7]);
  return tree(lane, 1);
}

double sparse_distance64(Metric metric, const int32_t* a_indices, const double* a, int64_t a_count, const int32_t* b_indices,
                         const double* b, int64_t b_count) noexcept {
  constexpr int32_t kEnd = std::numeric_limits<int32_t>::max();
  double lane[kLanes] = {};
  for (int64_t p = 0, q = 0; p < a_count || q < b_count;) {
    const int32_t at_a = p < a_count ? a_indices[p] : kEnd;
    const int32_t at_b = q < b_count ? b_indices[q] : kEnd;
    const int32_t j = std::min(at_a, at_b);
    const double x = at_a == j ? a[p++] : 0.0;
    const double y = at_b == j ? b[q++] : 0.0;
    double& sum = lane[j & 7];
    if (metric == Metric::kCosine) {
      sum = std::fma(x, y, sum);
    } else if (metric == Metric::kManhattan) {
      sum += std::fabs(x - y);
    } else {
      sum = std::fma(x - y, x - y, sum);
    }
  }
  return metric == Metric::kCosine ? 1.0 - tree(lane, 1) : tree(lane, 1);
}

SparseCentres::SparseCentres(Metric metric, const double* centers, int64_t k, int64_t d)
    : metric_(metric), k_(k), d_(d), stride_((k + kBlock - 1) / kBlock * kBlock), by_column_(static_cast<size_t>(d * stride_)) {
  for (int64_t c = 0; c < k; ++c) {
    const double* center = centers + c * d;
    for (int64_t j = 0; j < d; ++j) by_column_[static_cast<size_t>(j * stride_ + c)] = center[j];
    if (metric == Metric::kCosine) continue;
    norms_.push_back(dot(center, center, d));
    longest_ = std::max(longest_, std::sqrt(norms_.back()));
  }
}

// scores[0 .. kBlock) = x . c for the centres from `first`, in the arithmetic of dist64.h.
void SparseCentres::products(const SparseRows& rows, int64_t row, int64_t first, SparseScratch& scratch) const {
  double* lanes = scratch.lanes.data();
  std::fill_n(lanes, kLanes * kBlock, 0.0);
  const int64_t begin = rows.begin(row);
  const int64_t count = rows.count(row);
  for (int64_t p = begin; p < begin + count; ++p) {
    const int64_t j = rows.indices[p];
    const double x = rows.values[p];
    const double* column = by_column_.data() + j * stride_ + first;
    double* lane = lanes + (j & 7) * kBlock;
    for (int64_t c = 0; c < kBlock; ++c) lane[c] = std::fma(x, column[c], lane[c]);
  }
  double* scores = scratch.scores.data() + first;
  for (int64_t c = 0; c < kBlock; ++c) scores[c] = tree(lanes + c, kBlock);
}

void SparseCentres::assign_cosine(const SparseRows& rows, int32_t* labels, double* distances, SparseScratch& scratch) const {
  for (int64_t i = 0; i < rows.rows; ++i) {
    Nearest best;
    for (int64_t first = 0; first < k_; first += kBlock) products(rows, i, first, scratch);
    for (int64_t c = 0; c < k_; ++c) best.offer(c, 1.0 - scratch.scores[static_cast<size_t>(c)]);
    labels[i] = best.label;
    if (distances != nullptr) distances[i] = best.distance;
  }
}

void SparseCentres::assign_squared(const double* centers, const SparseRows& rows, int32_t* labels, double* distances,
                                   SparseScratch& scratch) const {
  for (int64_t i = 0; i < rows.rows; ++i) {
    const double norm = sparse_square(rows.indices + rows.begin(i), rows.values + rows.begin(i), rows.count(i));
    double least = std::numeric_limits<double>::infinity();
    int32_t at = 0;
    for (int64_t first = 0; first < k_; first += kBlock) products(rows, i, first, scratch);
    double* scores = scratch.scores.data();
    for (int64_t c = 0; c < k_; ++c) {
      scores[c] = norms_[static_cast<size_t>(c)] / 2 - scores[c];
      if (scores[c] < least) least = scores[c], at = static_cast<int32_t>(c);
    }
    const double limit = least + 2 * error_bound(norm, longest_, rows.count(i), d_);
    int64_t near = 0;
    for (int64_t c = 0; c < k_; ++c) near += scores[c] <= limit ? 1 : 0;
    labels[i] = at;
    if (near <= 1 && distances == nullptr) continue;
    const WrittenOut row(rows, i, scratch);
    Nearest best;
    scratch.rechecked += near > 1 ? 1 : 0;
    for (int64_t c = 0; c < k_; ++c) {
      if (scores[c] <= limit || (near == 0 && c == at)) best.offer(c, squared_distance(row.values(), centers + c * d_, d_));
    }
    labels[i] = best.label;
    if (distances != nullptr) distances[i] = best.distance;
  }
}

void SparseCentres::assign(const double* centers, const SparseRows& rows, int32_t* labels, double* distances,
                           SparseScratch& scratch) const {
  prepare(rows, scratch);
  scratch.lanes.resize(static_cast<size_t>(kLanes * kBlock));
  scratch.scores.resize(static_cast<size_t>(stride_));
  metric_ == Metric::kCosine ? assign_cosine(rows, labels, distances, scratch) : assign_squared(centers, rows, labels, distances, scratch);
}

void sparse_seed_distances(const SparseRows& rows, Metric metric, const double* candidates, int64_t n_candidates, const double* current,
                           double* out, SparseScratch& scratch) {
  prepare(rows, scratch);
  const int64_t d = rows.cols;
  std::vector<double> norms(static_cast<size_t>(n_candidates));
  std::vector<NonZeros> few(static_cast<size_t>(n_candidates));
  for (int64_t l = 0; l < n_candidates && metric != Metric::kCosine; ++l) {
    norms[static_cast<size_t>(l)] = dot(candidates + l * d, candidates + l * d, d);
    few[static_cast<size_t>(l)].take(candidates + l * d, d);
  }
  for (int64_t i = 0; i < rows.rows; ++i) {
    const int32_t* indices = rows.indices + rows.begin(i);
    const double* values = rows.values + rows.begin(i);
    const int64_t count = rows.count(i);
    const double now = current == nullptr ? std::numeric_limits<double>::infinity() : current[i];
    const double norm = sparse_square(indices, values, count);
    for (int64_t l = 0; l < n_candidates; ++l) {
      const double* candidate = candidates + l * d;
      const double product = sparse_dot(indices, values, count, candidate);
      double& to = out[i * n_candidates + l];
      if (metric == Metric::kCosine) {
        to = std::min(now, 1.0 - product);
        continue;
      }
      const double square = norms[static_cast<size_t>(l)];
      const double below = square / 2 - product + norm / 2 - error_bound(norm, std::sqrt(square), count, d);
      to = now;
      if (below > now / 2) continue;
      const NonZeros& point = few[static_cast<size_t>(l)];
      if (point.few(d)) {
        const auto many = static_cast<int64_t>(point.values.size());
        to = std::min(now, sparse_distance64(metric, indices, values, count, point.indices.data(), point.values.data(), many));
      } else {
        const WrittenOut row(rows, i, scratch);
        to = std::min(now, squared_distance(row.values(), candidate, d));
      }
    }
  }
}

void sparse_project(const SparseRows& rows, const double* by_column, int64_t q, double* out) noexcept {
  for (int64_t r = 0; r < rows.rows; ++r) {
    double* to = out + r * q;
    std::fill_n(to, q, 0.0);
    const int64_t begin = rows.begin(r);
    for (int64_t p = begin; p < begin + rows.count(r); ++p) {
      const double x = rows.values[p];
      const double* column = by_column + rows.indices[p] * q;
      for (int64_t c = 0; c < q; ++c) to[c] = std::fma(x, column[c], to[c]);
    }
  }
}

void sparse_limb_add(int64_t* sums, const int32_t* indices, const double* values, int64_t count, const double* magic, int64_t cols,
                     int limbs, int sign) noexcept {
  for (int64_t p = 0; p < count; ++p) {
    const int64_t j = indices[p];
    double rest = values[p];
    for (int limb = 0; limb < limbs; ++limb) {
      const double m = magic[limb * cols + j];
      const double y = rest + m;
      rest -= y - m;
      const uint64_t units = std::bit_cast<uint64_t>(y) - std::bit_cast<uint64_t>(m);
      uint64_t& to = reinterpret_cast<uint64_t&>(sums[limb * cols + j]);
      to += sign > 0 ? units : uint64_t{0} - units;
    }
  }
}

}  // namespace sluice::kernels
