// The random subspace behind randomized PCA and truncated SVD. Only a width x width problem reaches LAPACK.
#include "sluice/reduce/subspace.h"

#include <algorithm>
#include <cmath>

#include "sluice/core/random.h"
#include "sluice/kernels/dist64.h"
#include "sluice/kernels/project.h"
#include "sluice/kernels/sparse_rows.h"
#include "sluice/reduce/covariance.h"
#include "sluice/reduce/leaf_sums.h"
#include "sluice/reduce/pca_solvers.h"

namespace sluice::detail {
namespace {

constexpr int64_t kChunk = 256;        // rows turned round at a time: their columns then fit a second-level cache line by line
constexpr int64_t kChunkStride = 264;  // not a power of two, which would put every column into the same cache sets
constexpr double kLost = 1e-14;        // below this share of its length a direction has nothing of its own left

struct PowerPlan {
  const Matrix<double>* directions;  // width x d, orthonormal
  const std::vector<double>* center;
  LeafSumFormat format;
  std::vector<double> left;   // scale of a column's deviations, of the weights too
  std::vector<double> right;  // the scale of a row's coordinates, the same for all directions
  Matrix<double> by_column;   // of sparse rows: the directions turned round, d x width,
  std::vector<double> about;  // and the center's own coordinates, or nothing where the center is zero
};

// Y^T W (Y Q^T) as a state: d x width sums.
class PowerState {
 public:
  explicit PowerState(const PowerPlan& plan)
      : plan_(&plan),
        sums_(static_cast<size_t>(2 * plan.directions->cols * plan.directions->rows)),
        leaves_(static_cast<size_t>(plan.directions->cols)) {}

  void accumulate(const MatrixBlock& leaf) {
    const int64_t d = leaf.cols;
    const int64_t width = plan_->directions->rows;
    total_.assign(static_cast<size_t>(d * width), 0.0);
    take_coordinates(leaf);
    add_back(leaf);
    for (int64_t j = 0; j < d; ++j) add_total(j, total_.data() + j * width);
  }
  // The same sums column by column: a row without a value there adds nothing, and a column without any has no total.
  void accumulate(const CsrBlock& leaf) {
    const int64_t width = plan_->directions->rows;
    take_coordinates(leaf);
    turn(leaf);
    total_.resize(static_cast<size_t>(width));
    product_.resize(static_cast<size_t>(width));
    for (int64_t j = 0; j < leaf.cols; ++j) {
      const int64_t begin = starts_[static_cast<size_t>(j)], end = starts_[static_cast<size_t>(j) + 1];
      if (begin == end && plan_->about.empty()) continue;
      std::fill(total_.begin(), total_.end(), 0.0);
      add_back(begin, end);
      for (int64_t c = 0; c < width && !plan_->about.empty(); ++c) {
        const auto at = static_cast<size_t>(c);
        total_[at] = std::fma(-(*plan_->center)[static_cast<size_t>(j)], sum_[at], total_[at]);
      }
      add_total(j, total_.data());
    }
  }
  void merge(PowerState&& other) {
    for (size_t i = 0; i < sums_.size(); ++i) sums_[i] = LeafSumFormat::add_wrapping(sums_[i], other.sums_[i]);
    for (size_t j = 0; j < leaves_.size(); ++j) leaves_[j] += other.leaves_[j];
  }
  void save(ByteWriter& out) const {
    out.put_all(std::span<const int64_t>(leaves_));
    out.put_all(std::span<const int64_t>(sums_));
  }
  void load(ByteReader& in) {
    auto leaves = in.get_all<int64_t>();
    auto sums = in.get_all<int64_t>();
    if (sums.size() != sums_.size() || leaves.size() != leaves_.size()) in.damaged("has another number of columns");
    leaves_ = std::move(leaves);
    sums_ = std::move(sums);
  }
  int64_t bytes() const { return static_cast<int64_t>(8 * (sums_.size() + total_.size() + turned_.size())); }

  double scaled(int64_t column, int64_t direction) const {
    const int64_t width = plan_->directions->rows;
    const int64_t* high = sums_.data() + 2 * column * width + direction;
    return plan_->format.value(*high, high[width], leaves_[static_cast<size_t>(column)]);
  }

 private:
  // A leaf's total of a column.
  void add_total(int64_t j, const double* total) {
    const int64_t width = plan_->directions->rows;
    int64_t* high = sums_.data() + 2 * j * width;
    plan_->format.add(high, high + width, total, plan_->left[static_cast<size_t>(j)], plan_->right.data(), width);
    ++leaves_[static_cast<size_t>(j)];
  }
  // The two products with a leaf's rows; nothing else here touches their values.
  // coordinates = (centred rows) directions^T
  void take_coordinates(const MatrixBlock& leaf) {
    const int64_t width = plan_->directions->rows;
    coordinates_.resize(static_cast<size_t>(leaf.rows * width));
    kernels::project(leaf.view(), plan_->center->data(), plan_->directions->values.data(), width, coordinates_.data(), forward_);
  }
  // total += (centred rows)^T (weighted coordinates)
  void add_back(const MatrixBlock& leaf) {
    for (int64_t first = 0; first < leaf.rows; first += kChunk) add_chunk(leaf, first, std::min(kChunk, leaf.rows - first));
  }
  // The same for a few rows, as a projection of the turned chunk.
  void add_chunk(const MatrixBlock& leaf, int64_t first, int64_t count) {
    const int64_t d = leaf.cols;
    const int64_t width = plan_->directions->rows;
    turned_.resize(static_cast<size_t>(d * kChunkStride));
    right_.resize(static_cast<size_t>(width * count));
    product_.resize(static_cast<size_t>(d * width));
    scratch_.resize(static_cast<size_t>(8 * d));
    for (int64_t r = 0; r < count; r += 8) turn(leaf, first + r, std::min<int64_t>(8, count - r), turned_.data() + r);
    for (int64_t r = 0; r < count; ++r) {
      const double weight = leaf.weight(first + r);
      for (int64_t c = 0; c < width; ++c)
        right_[static_cast<size_t>(c * count + r)] = weight * coordinates_[static_cast<size_t>((first + r) * width + c)];
    }
    zero_.resize(static_cast<size_t>(kChunk));
    kernels::project({turned_.data(), true, d, count, kChunkStride}, zero_.data(), right_.data(), width, product_.data(), backward_);
    for (size_t i = 0; i < total_.size(); ++i) total_[i] += product_[i];
  }
  // Eight rows at a time, so that a cache line of the turned chunk is filled at once.
  void turn(const MatrixBlock& leaf, int64_t first, int64_t count, double* to) {
    const double* rows[8];
    for (int64_t r = 0; r < count; ++r) rows[r] = leaf.row(first + r, scratch_.data() + r * leaf.cols);
    for (int64_t j = 0; j < leaf.cols; ++j) {
      for (int64_t r = 0; r < count; ++r) to[j * kChunkStride + r] = rows[r][j] - (*plan_->center)[static_cast<size_t>(j)];
    }
  }
  // The weighted coordinates of sparse rows, and their sum where there is a center.
  void take_coordinates(const CsrBlock& leaf) {
    const int64_t width = plan_->directions->rows;
    coordinates_.resize(static_cast<size_t>(leaf.rows * width));
    sum_.assign(static_cast<size_t>(width), 0.0);
    kernels::sparse_project(leaf.view(), plan_->by_column.values.data(), width, coordinates_.data());
    for (int64_t r = 0; r < leaf.rows; ++r) {
      double* row = coordinates_.data() + r * width;
      for (size_t c = 0; c < plan_->about.size(); ++c) row[c] -= plan_->about[c];
      for (int64_t c = 0; c < width; ++c) row[c] *= leaf.weight(r);
      for (size_t c = 0; c < plan_->about.size(); ++c) sum_[c] += row[c];
    }
  }
  // The leaf's entries by column, rows ascending: those of column j are [starts_[j], starts_[j + 1]).
  void turn(const CsrBlock& leaf) {
    const int64_t entries = leaf.begin(leaf.rows);
    starts_.assign(static_cast<size_t>(leaf.cols) + 2, 0);
    for (int64_t p = 0; p < entries; ++p) ++starts_[static_cast<size_t>(leaf.indices[p]) + 2];
    for (size_t j = 2; j < starts_.size(); ++j) starts_[j] += starts_[j - 1];
    entry_rows_.resize(static_cast<size_t>(entries));
    entry_values_.resize(static_cast<size_t>(entries));
    for (int64_t r = 0; r < leaf.rows; ++r) {
      for (int64_t p = leaf.begin(r); p < leaf.begin(r) + leaf.count(r); ++p) {
        const auto to = static_cast<size_t>(starts_[static_cast<size_t>(leaf.indices[p]) + 1]++);
        entry_rows_[to] = r;
        entry_values_[to] = leaf.values[p];
      }
    }
  }
  // total += the column's entries times the coordinates of their rows; chunk by chunk, as the dense product is summed.
  void add_back(int64_t begin, int64_t end) {
    const auto width = static_cast<size_t>(plan_->directions->rows);
    for (int64_t p = begin; p < end;) {
      std::fill(product_.begin(), product_.end(), 0.0);
      const int64_t chunk = entry_rows_[static_cast<size_t>(p)] / kChunk;
      for (; p < end && entry_rows_[static_cast<size_t>(p)] / kChunk == chunk; ++p) {
        const double x = entry_values_[static_cast<size_t>(p)];
        const double* row = coordinates_.data() + static_cast<size_t>(entry_rows_[static_cast<size_t>(p)]) * width;
        for (size_t c = 0; c < width; ++c) product_[c] = std::fma(x, row[c], product_[c]);
      }
      for (size_t c = 0; c < width; ++c) total_[c] += product_[c];
    }
  }

  const PowerPlan* plan_;
  std::vector<int64_t> sums_;    // a column: width high limbs, then width low ones
  std::vector<int64_t> leaves_;  // a column: totals added
  std::vector<int64_t> starts_, entry_rows_;
  std::vector<double> entry_values_, sum_;
  std::vector<double> total_, coordinates_, turned_, right_, product_, zero_, scratch_;
  kernels::ProjectScratch forward_, backward_;
};

// Keeps the rows that have a direction of their own, orthonormal. Gram-Schmidt, each row twice, does what Cholesky-QR can't: the
// directions' lengths spread over more than the eight digits whose squares a Gram matrix still holds.
void orthonormalise(Matrix<double>& rows) {
  int64_t kept = 0;
  for (int64_t i = 0; i < rows.rows; ++i) {
    if (kept != i) std::copy_n(rows.row(i), rows.cols, rows.row(kept));
    const double before = std::sqrt(kernels::dot(rows.row(kept), rows.row(kept), rows.cols));
    const double after = make_orthogonal(rows, kept);
    if (!(after > kLost * before)) continue;
    for (int64_t j = 0; j < rows.cols; ++j) rows(kept, j) /= after;
    ++kept;
  }
  rows.rows = kept;
  rows.values.resize(static_cast<size_t>(kept * rows.cols));
}

// Normal numbers named by (seed, column, direction).
Matrix<double> random_directions(int64_t width, int64_t d, const Context& ctx) {
  Matrix<double> out(width, d);
  for (int64_t j = 0; j < d; ++j) {
    Random random(ctx.seed, RandomStage::kRandomizedPca, static_cast<uint64_t>(j));
    for (int64_t c = 0; c < width; ++c) out(c, j) = random.normal();
  }
  return out;
}

struct Scales {
  std::vector<int> exponents;  // of the columns' deviations
  int most = 0;
  int weight = 0;
};

Scales scales_of(const Source& rows, const std::vector<double>& center) {
  Scales out;
  out.exponents = deviation_exponents(rows, center);
  out.most = *std::max_element(out.exponents.begin(), out.exponents.end());
  if (rows.max_weight() > 0) std::frexp(rows.max_weight(), &out.weight);
  return out;
}

// directions (Y^T W Y), width x d, divided by 2^(2 most + weight).
Matrix<double> multiplied(const Source& rows, const std::vector<double>& center, const Scales& scales, const Matrix<double>& directions,
                          Context& ctx) {
  const int64_t d = rows.cols();
  const int64_t width = directions.rows;
  // A row's coordinate is at most its length, at most 2^most sqrt(d).
  const int length = scales.most + 2 + std::bit_width(static_cast<uint64_t>(d)) / 2;
  PowerPlan plan{&directions, &center, LeafSumFormat(leaf_range(rows.rows(), d, ctx)), {}, {}, {}, {}};
  for (const int exponent : scales.exponents) plan.left.push_back(std::ldexp(1.0, -exponent - scales.weight));
  plan.right.assign(static_cast<size_t>(width), std::ldexp(1.0, -length));
  if (rows.sparse()) {
    plan.by_column = transposed(directions);
    const bool centred = std::any_of(center.begin(), center.end(), [](double x) { return x != 0; });
    for (int64_t c = 0; centred && c < width; ++c) plan.about.push_back(kernels::dot(center.data(), directions.row(c), d));
  }
  const PowerState state = fold(rows, [&] { return PowerState(plan); }, ctx);
  Matrix<double> out(width, d);
  for (int64_t j = 0; j < d; ++j) {
    const int shift = scales.exponents[static_cast<size_t>(j)] + length - 2 * scales.most;
    for (int64_t c = 0; c < width; ++c) out(c, j) = std::ldexp(state.scaled(j, c), shift);
  }
  return out;
}

// Rotates the directions to those of most variance inside their span (Rayleigh and Ritz); returns the variances, scaled.
std::vector<double> rotate(Matrix<double>& directions, const Matrix<double>& image) {
  const int64_t width = directions.rows;
  Matrix<double> inner(width, width);
  for (int64_t a = 0; a < width; ++a) {
    for (int64_t b = a; b < width; ++b) inner(a, b) = inner(b, a) = kernels::dot(directions.row(a), image.row(b), directions.cols);
  }
  std::vector<double> values = falling_eigen(inner);
  Matrix<double> rotated(width, directions.cols);
  for (int64_t a = 0; a < width; ++a) {
    for (int64_t b = 0; b < width; ++b) {
      for (int64_t j = 0; j < directions.cols; ++j) rotated(a, j) = std::fma(inner(a, b), directions(b, j), rotated(a, j));
    }
  }
  directions = std::move(rotated);
  return values;
}

}  // namespace

Subspace leading_subspace(const Source& rows, const std::vector<double>& center, int64_t wanted, int64_t width, int64_t power,
                          Context& ctx) {
  const auto d = static_cast<double>(rows.cols());
  const auto w = static_cast<double>(width);
  const double ranks = ctx.ranks() > 1 ? ctx.ranks() + 1 : 0;
  Context within = within_memory(ctx, "random directions", "ask for fewer components", 8 * d * w * (4 + 2 * ranks), 8 * d * (5 * w + 300));
  const Scales scales = scales_of(rows, center);
  Subspace out;
  Matrix<double> directions = random_directions(width, rows.cols(), ctx);
  orthonormalise(directions);
  ctx.stage("directions", power + 2);
  for (int64_t pass = 0; pass <= power; ++pass) {
    directions = multiplied(rows, center, scales, directions, within);
    orthonormalise(directions);
    ctx.step(pass + 1);
  }
  if (directions.rows > 0) out.values = rotate(directions, multiplied(rows, center, scales, directions, within));
  ctx.step(power + 2);
  const int64_t found = std::min(directions.rows, wanted);
  directions.rows = wanted;
  directions.values.resize(static_cast<size_t>(wanted * directions.cols));
  complete_basis(directions, found);
  out.values.resize(static_cast<size_t>(wanted), 0.0);
  if (found < wanted) std::fill(out.values.begin() + found, out.values.end(), 0.0);
  for (double& value : out.values) value = std::ldexp(value, 2 * scales.most + scales.weight);
  out.directions = std::move(directions);
  return out;
}

}  // namespace sluice::detail
