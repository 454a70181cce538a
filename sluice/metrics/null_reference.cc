#include "sluice/metrics/null_reference.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sluice/core/math.h"
#include "sluice/core/random.h"
#include "sluice/metrics/symmetric_eigen.h"

namespace sluice {
namespace {

std::vector<double> column_means_of(const Matrix<double>& rows) {
  std::vector<double> mean(static_cast<size_t>(rows.cols));
  for (int64_t i = 0; i < rows.rows; ++i) {
    for (int64_t j = 0; j < rows.cols; ++j)
      mean[static_cast<size_t>(j)] += (rows(i, j) - mean[static_cast<size_t>(j)]) / static_cast<double>(i + 1);
  }
  return mean;
}

// Standard normal scores of a column's ranks, ties sharing the middle, scaled to mean square 1 (or 0 for a constant column).
std::vector<double> normal_scores(const Matrix<double>& rows, int64_t column) {
  const auto n = static_cast<size_t>(rows.rows);
  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), size_t{0});
  const auto value = [&](size_t i) { return rows(static_cast<int64_t>(i), column); };
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return value(a) != value(b) ? value(a) < value(b) : a < b; });
  std::vector<double> score(n);
  double squares = 0;
  for (size_t first = 0; first < n;) {
    size_t last = first;
    while (last < n && value(order[last]) == value(order[first])) ++last;
    const double s = inverse_normal(0.5 * static_cast<double>(first + last) / static_cast<double>(n));
    for (size_t i = first; i < last; ++i) score[order[i]] = s;
    squares += static_cast<double>(last - first) * s * s;
    first = last;
  }
  const double scale = squares > 0 ? std::sqrt(static_cast<double>(n) / squares) : 0;
  for (double& s : score) s *= scale;
  return score;
}

// A root of the normal scores' correlation matrix, by its eigenvectors: it may be singular.
Matrix<double> copula_factor(const Matrix<double>& rows) {
  const int64_t d = rows.cols;
  Matrix<double> scores(rows.rows, d);
  for (int64_t j = 0; j < d; ++j) {
    const std::vector<double> column = normal_scores(rows, j);
    for (int64_t i = 0; i < rows.rows; ++i) scores(i, j) = column[static_cast<size_t>(i)];
  }
  const SymmetricEigen eigen = symmetric_eigen(scaled_gram(scores, 1.0 / static_cast<double>(rows.rows)));
  Matrix<double> factor(d, d);
  for (int64_t a = 0; a < d; ++a) {
    const double root = std::sqrt(std::max(0.0, eigen.values[static_cast<size_t>(a)]));
    for (int64_t j = 0; j < d; ++j) factor(j, a) = eigen.vectors(a, j) * root;
  }
  return factor;
}

// P(standard normal < z) within 1e-7 (Abramowitz and Stegun 26.2.17): what draws need, of bits that are the same everywhere.
double normal_probability(double z) {
  const double t = 1 / (1 + 0.2316419 * std::fabs(z));
  const double poly = t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const double tail = 0.39894228040143267794 * exp64(-0.5 * z * z) * poly;
  return z > 0 ? 1 - tail : tail;
}

}  // namespace

const char* name_of(NullKind kind) {
  switch (kind) {
    case NullKind::kUniform:
      return "uniform in the box of the principal axes";
    case NullKind::kGaussian:
      return "Gaussian with the data's covariance";
    case NullKind::kMarginals:
      return "independent columns with the data's own distributions smoothed to one mode";
    default:
      return "columns with the data's own distributions smoothed to one mode and its rank correlations";
  }
}

PrincipalAxes principal_axes(const Matrix<double>& rows, int64_t most) {
  const int64_t n = rows.rows, d = rows.cols;
  PrincipalAxes out;
  out.mean = column_means_of(rows);
  Matrix<double> centred = rows;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < d; ++j) centred(i, j) -= out.mean[static_cast<size_t>(j)];
  }
  const double scale = 1.0 / static_cast<double>(std::max<int64_t>(1, n - 1));
  const bool by_gram = d > n;
  const SymmetricEigen eigen = symmetric_eigen(by_gram ? scaled_gram(transposed(centred), scale) : scaled_gram(centred, scale));
  const int64_t kept = std::min({n, d, most});
  out.axes = Matrix<double>(kept, d);
  for (int64_t a = 0; a < kept; ++a) {
    double* axis = out.axes.row(a);
    if (by_gram) {
      for (int64_t i = 0; i < n; ++i) {
        for (int64_t j = 0; j < d; ++j) axis[j] = std::fma(eigen.vectors(a, i), centred(i, j), axis[j]);
      }
    } else {
      std::copy(eigen.vectors.row(a), eigen.vectors.row(a) + d, axis);
    }
    double length = 0;
    int64_t largest = 0;
    for (int64_t j = 0; j < d; ++j) {
      length = std::fma(axis[j], axis[j], length);
      if (std::fabs(axis[j]) > std::fabs(axis[largest])) largest = j;
    }
    const double factor = length > 0 ? std::copysign(1 / std::sqrt(length), axis[largest]) : 0;
    for (int64_t j = 0; j < d; ++j) axis[j] *= factor;
    out.variance.push_back(std::max(0.0, eigen.values[static_cast<size_t>(a)]));
  }
  return out;
}

namespace {
Matrix<double> coordinates(const Matrix<double>& rows, const PrincipalAxes& p) {
  Matrix<double> out(rows.rows, p.axes.rows);
  for (int64_t i = 0; i < rows.rows; ++i) {
    for (int64_t a = 0; a < p.axes.rows; ++a) {
      double sum = 0;
      for (int64_t j = 0; j < rows.cols; ++j) sum = std::fma(rows(i, j) - p.mean[static_cast<size_t>(j)], p.axes(a, j), sum);
      out(i, a) = sum;
    }
  }
  return out;
}
}  // namespace

Matrix<double> reduced_columns(const Matrix<double>& rows, int64_t most) {
  return rows.cols <= most ? rows : coordinates(rows, principal_axes(rows, most));
}

NullModel null_model(const Matrix<double>& rows) {
  NullModel model;
  PrincipalAxes p = principal_axes(rows, rows.cols);
  const Matrix<double> along = coordinates(rows, p);
  for (int64_t a = 0; a < along.cols; ++a) {
    double low = 0, high = 0;
    for (int64_t i = 0; i < along.rows; ++i) low = std::min(low, along(i, a)), high = std::max(high, along(i, a));
    model.low.push_back(low);
    model.high.push_back(high);
    model.deviation.push_back(std::sqrt(p.variance[static_cast<size_t>(a)]));
  }
  model.mean = std::move(p.mean);
  model.axes = std::move(p.axes);
  for (int64_t j = 0; j < rows.cols; ++j) {
    std::vector<double> column;
    for (int64_t i = 0; i < rows.rows; ++i) column.push_back(rows(i, j));
    model.columns.push_back(unimodal_of(std::move(column)));
  }
  model.factor = copula_factor(rows);
  return model;
}

Matrix<double> draw_null(const NullModel& model, NullKind kind, int64_t n, uint64_t seed, uint64_t index) {
  Random random(seed, RandomStage::kNullReference, index * kNullKinds + static_cast<uint64_t>(kind));
  const auto d = static_cast<int64_t>(model.columns.size());
  const bool by_axes = kind == NullKind::kUniform || kind == NullKind::kGaussian;
  Matrix<double> out(n, d);
  std::vector<double> u(static_cast<size_t>(by_axes ? model.axes.rows : d));
  for (int64_t i = 0; i < n; ++i) {
    double* row = out.row(i);
    for (size_t a = 0; a < u.size(); ++a) {
      u[a] = kind == NullKind::kUniform    ? model.low[a] + (model.high[a] - model.low[a]) * random.uniform()
             : kind == NullKind::kGaussian ? model.deviation[a] * random.normal()
             : kind == NullKind::kCopula   ? random.normal()
                                           : random.uniform();
    }
    for (int64_t j = 0; j < d; ++j)
      row[j] = by_axes ? model.mean[static_cast<size_t>(j)] : kind == NullKind::kMarginals ? u[static_cast<size_t>(j)] : 0;
    if (by_axes) {
      for (size_t a = 0; a < u.size(); ++a) {
        const double* axis = model.axes.row(static_cast<int64_t>(a));
        for (int64_t j = 0; j < d; ++j) row[j] = std::fma(u[a], axis[j], row[j]);
      }
    } else if (kind == NullKind::kCopula) {
      for (int64_t j = 0; j < d; ++j) {
        double z = 0;
        for (size_t a = 0; a < u.size(); ++a) z = std::fma(model.factor(j, static_cast<int64_t>(a)), u[a], z);
        row[j] = normal_probability(z);
      }
    }
    for (int64_t j = 0; j < d; ++j) {
      const Unimodal& column = model.columns[static_cast<size_t>(j)];
      if (!by_axes) row[j] = column.quantile(row[j]);
      if (column.step > 0) row[j] = column.origin + std::nearbyint((row[j] - column.origin) / column.step) * column.step;
    }
  }
  return out;
}

}  // namespace sluice
