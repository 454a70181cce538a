#include "sluice/reduce/covariance.h"

#include <algorithm>
#include <cmath>

#include "sluice/core/moments.h"

namespace sluice {
namespace {

// Of `values` that are all below 2^e in size the smallest such e; 0 when they are all 0.
int exponent_above(double value) {
  int exponent = 0;
  std::frexp(value, &exponent);
  return value == 0 ? 0 : exponent;
}

int weight_exponent_of(const Source& rows) {
  return rows.max_weight() > 0 ? exponent_above(rows.max_weight()) : 0;
}

// Where row i of the packed triangle starts.
int64_t row_start(int64_t i, int64_t d) {
  return 2 * (i * d - i * (i - 1) / 2);
}

}  // namespace

std::vector<double> centers_of(const Source& rows, Context& ctx) {
  std::vector<double> center = column_means(rows, ctx);
  for (size_t j = 0; j < center.size(); ++j) {
    const ColumnStatistics& stats = rows.stats.columns[j];
    if (stats.min == stats.max) center[j] = stats.min;
  }
  return center;
}

std::vector<int> deviation_exponents(const Source& rows, const std::vector<double>& center) {
  std::vector<int> exponents(center.size());
  for (size_t j = 0; j < center.size(); ++j) {
    const ColumnStatistics& stats = rows.stats.columns[j];
    exponents[j] = exponent_above(std::max(std::fabs(stats.max - center[j]), std::fabs(center[j] - stats.min)));
  }
  return exponents;
}

CovariancePlan::CovariancePlan(const Source& rows, const std::vector<double>& center, const std::vector<int>& exponents, const Context& ctx)
    : cols(rows.cols()), center(&center), format(leaf_range(rows.rows(), rows.cols(), ctx)) {
  const int weight = weight_exponent_of(rows);
  for (const int exponent : exponents) {
    left.push_back(std::ldexp(1.0, -exponent - weight));
    right.push_back(std::ldexp(1.0, -exponent));
  }
}

CovarianceState::CovarianceState(const CovariancePlan& plan) : plan_(&plan), sums_(static_cast<size_t>(plan.cols * (plan.cols + 1))) {}

void CovarianceState::accumulate(const MatrixBlock& leaf) {
  const int64_t d = plan_->cols;
  upper_.assign(static_cast<size_t>(d * d), 0.0);
  if (leaf.weights == nullptr) {
    kernels::syrk_add(leaf.view(), plan_->center->data(), upper_.data(), scratch_);
    rows_ += leaf.rows;
  } else {
    kernels::syrk_add_weighted(leaf.view(), plan_->center->data(), leaf.weights, upper_.data(), scratch_);
    double weight = 0;
    for (int64_t i = 0; i < leaf.rows; ++i) weight += leaf.weights[i];
    weight_.add(weight);
  }
  for (int64_t i = 0; i < d; ++i) {
    int64_t* high = sums_.data() + row_start(i, d);
    plan_->format.add(high, high + (d - i), upper_.data() + i * d + i, plan_->left[static_cast<size_t>(i)], plan_->right.data() + i, d - i);
  }
  ++leaves_;
}

void CovarianceState::merge(CovarianceState&& other) {
  for (size_t i = 0; i < sums_.size(); ++i) sums_[i] = LeafSumFormat::add_wrapping(sums_[i], other.sums_[i]);
  weight_.merge(other.weight_);
  rows_ += other.rows_;
  leaves_ += other.leaves_;
}

void CovarianceState::save(ByteWriter& out) const {
  out.put(rows_);
  out.put(leaves_);
  weight_.save(out);
  out.put_all(std::span<const int64_t>(sums_));
}

void CovarianceState::load(ByteReader& in) {
  rows_ = in.get<int64_t>();
  leaves_ = in.get<int64_t>();
  if (rows_ < 0 || leaves_ < 0) in.damaged("counts fewer than no rows");
  weight_.load(in);
  auto sums = in.get_all<int64_t>();
  if (sums.size() != sums_.size()) in.damaged("has another number of columns");
  sums_ = std::move(sums);
}

int64_t CovarianceState::bytes() const {
  return static_cast<int64_t>(8 * (sums_.size() + upper_.size()));
}

double CovarianceState::scaled(int64_t i, int64_t j) const {
  const int64_t d = plan_->cols;
  const int64_t* high = sums_.data() + row_start(i, d) + (j - i);
  return plan_->format.value(*high, high[d - i], leaves_);
}

double CrossProducts::at(int64_t i, int64_t j) const {
  return std::ldexp(sum(i, j), exponents[static_cast<size_t>(i)] + exponents[static_cast<size_t>(j)] + weight_exponent);
}

int to_one_scale(CrossProducts& products) {
  const int most = products.exponents.empty() ? 0 : *std::max_element(products.exponents.begin(), products.exponents.end());
  for (int64_t i = 0; i < products.sum.rows; ++i) {
    for (int64_t j = 0; j < products.sum.cols; ++j) {
      products.sum(i, j) = std::ldexp(products.sum(i, j),
                                      products.exponents[static_cast<size_t>(i)] + products.exponents[static_cast<size_t>(j)] - 2 * most);
    }
  }
  std::fill(products.exponents.begin(), products.exponents.end(), most);
  return 2 * most + products.weight_exponent;
}

CrossProducts cross_products(const Source& rows, const std::vector<double>& center, const std::vector<int>& exponents, Context& ctx) {
  const int64_t d = rows.cols();
  const double square = 8 * static_cast<double>(d) * static_cast<double>(d);
  const double gathered = ctx.ranks() > 1 ? ctx.ranks() + 1 : 0;
  Context within = within_memory(ctx, "covariance matrix", "use fewer columns", square * (1 + gathered), 2 * square);
  const CovariancePlan plan(rows, center, exponents, ctx);
  const CovarianceState state = fold(rows, [&] { return CovarianceState(plan); }, within);
  CrossProducts out;
  out.weight = state.weight();
  out.exponents = exponents;
  out.weight_exponent = weight_exponent_of(rows);
  out.sum = Matrix<double>(d, d);
  for (int64_t i = 0; i < d; ++i) {
    for (int64_t j = i; j < d; ++j) out.sum(i, j) = out.sum(j, i) = state.scaled(i, j);
  }
  return out;
}

}  // namespace sluice
