#include "sluice/reduce/pca_solvers.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "sluice/core/error.h"
#include "sluice/core/text.h"
#include "sluice/kernels/dist64.h"
#include "sluice/kernels/project.h"
#include "sluice/linalg/linalg.h"
#include "sluice/reduce/covariance.h"

namespace sluice::detail {
namespace {

constexpr const char* kInstead = "use the randomized solver with a count of components";

// Below this share of the largest variance a direction made from the n x n problem has lost digits and is made orthogonal by itself.
constexpr double kWeak = 1e-6;
// Below this share of the largest length nothing but rounding is left of it.
constexpr double kNull = 1e-13;

void scale_row(double* row, int64_t cols, double factor) {
  for (int64_t j = 0; j < cols; ++j) row[j] *= factor;
}

std::vector<double> variances_of(const std::vector<double>& values, int exponent, double degrees) {
  std::vector<double> out(values.size());
  for (size_t i = 0; i < values.size(); ++i) out[i] = std::ldexp(values[i], exponent) / degrees;
  return out;
}

double sum_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum;
}

// The centred rows turned round: d rows of n values, each row times the root of its weight.
struct Turned {
  std::unique_ptr<MemorySource> columns;
  std::vector<int> exponents;  // of each of the n
  double weight = 0;
};

Turned turned(const Source& rows, const std::vector<double>& center, Context& ctx) {
  const int64_t n = rows.rows();
  const int64_t d = rows.cols();
  std::vector<double> values(static_cast<size_t>(n * d));
  std::vector<double> weights(static_cast<size_t>(n), 1.0);
  Turned out;
  out.exponents.resize(static_cast<size_t>(n));
  std::vector<BlockBuffer> buffers(static_cast<size_t>(worker_count(ctx)));
  std::vector<std::vector<double>> scratch(buffers.size(), std::vector<double>(static_cast<size_t>(d)));
  LeafRange range = leaf_range(n, d, ctx);
  range.first = 0;  // every rank holds all rows
  range.last = range.leaves;
  for_each_leaf(range, ctx, [&](int worker, int64_t leaf) {
    const int64_t first = leaf * range.rows_per_leaf;
    const MatrixBlock block = rows.read(first, std::min(range.rows_per_leaf, n - first), buffers[static_cast<size_t>(worker)]);
    for (int64_t r = 0; r < block.rows; ++r) {
      const double* row = block.row(r, scratch[static_cast<size_t>(worker)].data());
      const double root = std::sqrt(block.weight(r));
      double most = 0;
      for (int64_t j = 0; j < d; ++j) {
        const double y = (row[j] - center[static_cast<size_t>(j)]) * root;
        values[static_cast<size_t>(j * n + first + r)] = y;
        most = std::max(most, std::fabs(y));
      }
      weights[static_cast<size_t>(first + r)] = block.weight(r);
      int exponent = 0;
      std::frexp(most, &exponent);
      out.exponents[static_cast<size_t>(first + r)] = most == 0 ? 0 : exponent;
    }
  });
  out.weight = sum_of(weights);
  out.columns = std::make_unique<MemorySource>(std::move(values), d, n);
  return out;
}

// left (k x n) times the centred rows (n x d): k x d.
Matrix<double> combine(const Matrix<double>& left, const Source& columns, const Context& ctx) {
  Context alone = ctx;
  alone.comm = nullptr;
  const std::vector<double> zero(static_cast<size_t>(columns.cols()));
  Matrix<double> out(left.rows, columns.rows());
  map(columns, alone, [&](int, const MatrixBlock& part) {
    std::vector<double> products(static_cast<size_t>(part.rows * left.rows));
    kernels::ProjectScratch scratch;
    kernels::project(part.view(), zero.data(), left.values.data(), left.rows, products.data(), scratch);
    for (int64_t r = 0; r < part.rows; ++r) {
      for (int64_t c = 0; c < left.rows; ++c) out(c, part.first_row + r) = products[static_cast<size_t>(r * left.rows + c)];
    }
  });
  return out;
}

// Rows of `directions` are combinations s_i v_i: makes them unit length, those that lost digits orthogonal as well, and says the variances
// of these anew from their lengths.
void polish(Matrix<double>& directions, std::vector<double>& variances, double degrees) {
  const int64_t d = directions.cols;
  const double largest = std::sqrt(variances[0] * degrees);
  int64_t i = 0;
  for (; i < directions.rows; ++i) {
    const auto at = static_cast<size_t>(i);
    double* row = directions.row(i);
    double length = std::sqrt(kernels::dot(row, row, d));
    if (variances[at] <= kWeak * variances[0]) {
      variances[at] = std::min(length * length / degrees, i > 0 ? variances[at - 1] : variances[at]);
      length = make_orthogonal(directions, i);
    }
    if (!(length > kNull * largest)) break;
    scale_row(row, d, 1 / length);
  }
  for (int64_t rest = i + 1; rest < directions.rows; ++rest)
    variances[static_cast<size_t>(rest)] = std::min(variances[static_cast<size_t>(rest)], variances[static_cast<size_t>(rest - 1)]);
  complete_basis(directions, i);
}

}  // namespace

double degrees_of_freedom(double weight) {
  if (!(weight > 1))
    fail(ErrorCode::kBadInput, "rows", "they weigh " + to_text(weight) + " and a variance needs more than one row", "give more rows");
  return weight - 1;
}

std::vector<double> falling_eigen(Matrix<double>& a) {
  const int64_t n = a.rows;
  std::vector<double> values(static_cast<size_t>(n));
  const int info = linalg::symmetric_eigen(a.values.data(), n, values.data());
  if (info == linalg::kTooLarge) {
    fail(ErrorCode::kMemory, "eigenvectors", "a matrix of side " + to_text(n) + " is beyond " + to_text(linalg::kMostEigen),
         "use the randomized solver with a count");
  }
  if (info != 0)
    fail(ErrorCode::kNumerical, "eigenvectors", "LAPACK found none (dsyevd says " + to_text(static_cast<int64_t>(info)) + ")",
         "scale the columns");
  std::reverse(values.begin(), values.end());
  for (double& value : values) value = std::max(value, 0.0);
  for (int64_t i = 0; i < n / 2; ++i) std::swap_ranges(a.row(i), a.row(i) + n, a.row(n - 1 - i));
  return values;
}

double make_orthogonal(Matrix<double>& rows, int64_t i) {
  double* row = rows.row(i);
  for (int pass = 0; pass < 2; ++pass) {
    for (int64_t p = 0; p < i; ++p) {
      const double* earlier = rows.row(p);
      const double part = kernels::dot(row, earlier, rows.cols);
      for (int64_t j = 0; j < rows.cols; ++j) row[j] = std::fma(-part, earlier[j], row[j]);
    }
  }
  return std::sqrt(kernels::dot(row, row, rows.cols));
}

void fix_signs(Matrix<double>& components) {
  for (int64_t c = 0; c < components.rows; ++c) {
    double* row = components.row(c);
    const double* largest = std::max_element(row, row + components.cols, [](double a, double b) { return std::fabs(a) < std::fabs(b); });
    if (*largest >= 0) continue;
    for (int64_t j = 0; j < components.cols; ++j) row[j] = -row[j];
  }
}

void complete_basis(Matrix<double>& rows, int64_t first) {
  const int64_t d = rows.cols;
  int64_t next = 0;
  for (int64_t i = first; i < rows.rows; ++i) {
    // The squared lengths left of the d unit vectors add up to d - i, so one of them keeps at least the mean.
    const double enough = std::sqrt(0.5 * static_cast<double>(d - i) / static_cast<double>(d));
    for (;; next = (next + 1) % d) {
      std::fill_n(rows.row(i), d, 0.0);
      rows(i, next) = 1;
      const double length = make_orthogonal(rows, i);
      if (length < enough) continue;
      scale_row(rows.row(i), d, 1 / length);
      break;
    }
  }
}

Spectrum covariance_spectrum(const Source& rows, const std::vector<double>& center, const HowMany& how_many, Context& ctx) {
  const double square = 8 * static_cast<double>(rows.cols()) * static_cast<double>(rows.cols());
  within_memory(ctx, "eigenvectors", kInstead, 4 * square, 0);
  ctx.stage("covariance");
  CrossProducts products = cross_products(rows, center, deviation_exponents(rows, center), ctx);
  ctx.stage("eigenvectors");
  const int exponent = to_one_scale(products);
  const std::vector<double> values = falling_eigen(products.sum);
  Spectrum out;
  out.weight = products.weight;
  out.variances = variances_of(values, exponent, degrees_of_freedom(out.weight));
  out.total = sum_of(out.variances);
  const int64_t kept = how_many(out.variances, out.total, out.weight);
  out.directions = std::move(products.sum);
  out.directions.rows = kept;
  out.directions.values.resize(static_cast<size_t>(kept * out.directions.cols));
  return out;
}

Spectrum gram_spectrum(const Source& rows, const std::vector<double>& center, const HowMany& how_many, Context& ctx) {
  const auto n = static_cast<double>(rows.rows());
  const auto d = static_cast<double>(rows.cols());
  within_memory(ctx, "rows turned round", kInstead, 16 * n * d + 32 * n * n, 0);
  ctx.stage("cross products of rows");
  const Turned all = turned(rows, center, ctx);
  const std::vector<double> zero(static_cast<size_t>(rows.rows()));
  CrossProducts products = cross_products(*all.columns, zero, all.exponents, ctx);
  ctx.stage("eigenvectors");
  const int exponent = to_one_scale(products);
  const std::vector<double> values = falling_eigen(products.sum);
  Spectrum out;
  out.weight = all.weight;
  const double degrees = degrees_of_freedom(out.weight);
  out.variances = variances_of(values, exponent, degrees);
  out.total = sum_of(out.variances);
  const int64_t kept = how_many(out.variances, out.total, out.weight);
  products.sum.rows = kept;
  products.sum.values.resize(static_cast<size_t>(kept * products.sum.cols));
  out.directions = combine(products.sum, *all.columns, ctx);
  polish(out.directions, out.variances, degrees);
  return out;
}

}  // namespace sluice::detail
