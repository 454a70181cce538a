#include <algorithm>
#include <cmath>

#include "sluice/core/error.h"
#include "sluice/core/random.h"
#include "sluice/linalg/linalg.h"
#include "sluice/reduce/umap_start.h"

namespace sluice::detail {
namespace {

constexpr int64_t kPiece = 1024;  // rows a task and a partial sum
constexpr int64_t kSpare = 6;     // further vectors, for speed
constexpr int64_t kDegree = 24;   // of the filter
constexpr int64_t kMostRounds = 60;
constexpr double kResidual = 1e-4;
constexpr double kLost = 1e-13;  // below this share of the largest a direction is rounding

// Symmetric matrices as LAPACK takes them: values ascending, vectors the rows of `a`.
std::vector<double> eigen(Matrix<double>& a) {
  std::vector<double> values(static_cast<size_t>(a.rows));
  if (linalg::symmetric_eigen(a.values.data(), a.rows, values.data()) != 0)
    fail(ErrorCode::kNumerical, "spectral start", "LAPACK found no eigenvectors", "use --init pca");
  return values;
}

class Spectral {
 public:
  Spectral(const UmapGraph& graph, Context& ctx)
      : graph_(graph), ctx_(ctx), n_(graph.rows()), root_(static_cast<size_t>(n_)), trivial_(n_, 1) {
    double total = 0;
    for (int64_t i = 0; i < n_; ++i) {
      double degree = 0;
      for (int64_t e = begin(i); e < begin(i + 1); ++e) degree += graph.weights[static_cast<size_t>(e)];
      root_[static_cast<size_t>(i)] = 1 / std::sqrt(degree);
      trivial_(i, 0) = std::sqrt(degree);
      total += degree;
    }
    for (double& x : trivial_.values) x /= std::sqrt(total);
  }

  Matrix<double> solve(int64_t dims) {
    const int64_t width = std::min(dims + kSpare, n_ - 1);
    Matrix<double> x(n_, width);
    for (int64_t i = 0; i < n_; ++i) {
      Random random(ctx_.seed, RandomStage::kUmapStart, static_cast<uint64_t>(i));
      for (int64_t c = 0; c < width; ++c) x(i, c) = random.normal();
    }
    double cut = 0;
    ctx_.stage("spectral start", kMostRounds);
    for (int64_t round = 0; round < kMostRounds; ++round) {
      x = filtered(std::move(x), cut);
      const double residual = rotate(x, dims, cut);
      ctx_.step(round + 1);
      if (residual < kResidual) break;
    }
    Matrix<double> out(n_, dims);
    for (int64_t i = 0; i < n_; ++i) std::copy_n(x.row(i), std::min(dims, x.cols), out.row(i));
    return out;
  }

 private:
  int64_t begin(int64_t i) const { return graph_.starts[static_cast<size_t>(i)]; }

  // to = scale * (M x - shift * x) - back * old, row by row; `to` may be `old`.
  void multiply(const Matrix<double>& x, double scale, double shift, double back, const Matrix<double>* old, Matrix<double>& to) {
    for_pieces(n_, kPiece, ctx_, [&](int64_t first, int64_t last) {
      std::vector<double> sum(static_cast<size_t>(x.cols));
      for (int64_t i = first; i < last; ++i) {
        std::fill(sum.begin(), sum.end(), 0.0);
        for (int64_t e = begin(i); e < begin(i + 1); ++e) {
          const int64_t j = graph_.others[static_cast<size_t>(e)];
          const double weight = graph_.weights[static_cast<size_t>(e)] * root_[static_cast<size_t>(j)];
          const double* row = x.row(j);
          for (int64_t c = 0; c < x.cols; ++c) sum[static_cast<size_t>(c)] = std::fma(weight, row[c], sum[static_cast<size_t>(c)]);
        }
        for (int64_t c = 0; c < x.cols; ++c) {
          const double turned = root_[static_cast<size_t>(i)] * sum[static_cast<size_t>(c)];
          to(i, c) = scale * (turned - shift * x(i, c)) - (old == nullptr ? 0 : back * (*old)(i, c));
        }
      }
    });
  }

  // Chebyshev polynomial that is small on [-1, cut] and grows beyond.
  Matrix<double> filtered(Matrix<double> x, double cut) {
    const double shift = (cut - 1) / 2;
    const double scale = 2 / (cut + 1);
    Matrix<double> next(n_, x.cols);
    multiply(x, scale, shift, 0, nullptr, next);
    for (int64_t degree = 2; degree <= kDegree; ++degree) {
      multiply(next, 2 * scale, shift, 1, &x, x);
      std::swap(x, next);
    }
    const Matrix<double> part = products(trivial_, next);
    for_pieces(n_, kPiece, ctx_, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) {
        for (int64_t c = 0; c < next.cols; ++c) next(i, c) -= trivial_(i, 0) * part(0, c);
      }
    });
    return next;
  }

  // a^T b, pieces of rows summed in order.
  Matrix<double> products(const Matrix<double>& a, const Matrix<double>& b) {
    std::vector<Matrix<double>> partial(static_cast<size_t>((n_ + kPiece - 1) / kPiece));
    for_pieces(n_, kPiece, ctx_, [&](int64_t first, int64_t last) {
      Matrix<double> sum(a.cols, b.cols);
      for (int64_t i = first; i < last; ++i) {
        for (int64_t p = 0; p < a.cols; ++p) {
          for (int64_t q = 0; q < b.cols; ++q) sum(p, q) = std::fma(a(i, p), b(i, q), sum(p, q));
        }
      }
      partial[static_cast<size_t>(first / kPiece)] = std::move(sum);
    });
    Matrix<double> total(a.cols, b.cols);
    for (const Matrix<double>& part : partial) {
      for (size_t i = 0; i < total.values.size(); ++i) total.values[i] += part.values[i];
    }
    return total;
  }

  Matrix<double> times(const Matrix<double>& x, const Matrix<double>& small) {
    Matrix<double> out(n_, small.cols);
    for_pieces(n_, kPiece, ctx_, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) {
        for (int64_t p = 0; p < small.rows; ++p) {
          for (int64_t q = 0; q < small.cols; ++q) out(i, q) = std::fma(x(i, p), small(p, q), out(i, q));
        }
      }
    });
    return out;
  }

  // x becomes the orthonormal vectors of falling Rayleigh quotients in its span (Rayleigh and Ritz), `cut` the last quotient; returns the
  // largest residual of the first `dims`.
  double rotate(Matrix<double>& x, int64_t dims, double& cut) {
    Matrix<double> gram = products(x, x);
    const std::vector<double> lengths = eigen(gram);
    Matrix<double> basis(x.cols, 0);
    for (int64_t p = x.cols - 1; p >= 0 && lengths[static_cast<size_t>(p)] > kLost * lengths.back(); --p) ++basis.cols;
    basis.values.resize(static_cast<size_t>(basis.rows * basis.cols));
    for (int64_t q = 0; q < basis.cols; ++q) {
      const int64_t from = x.cols - 1 - q;
      const double length = std::sqrt(lengths[static_cast<size_t>(from)]);
      for (int64_t p = 0; p < x.cols; ++p) basis(p, q) = gram(from, p) / length;
    }
    x = times(x, basis);
    Matrix<double> image(n_, x.cols);
    multiply(x, 1, 0, 0, nullptr, image);
    Matrix<double> inner = products(x, image);
    const std::vector<double> values = eigen(inner);
    Matrix<double> turn(x.cols, x.cols);
    for (int64_t q = 0; q < x.cols; ++q) {
      for (int64_t p = 0; p < x.cols; ++p) turn(p, q) = inner(x.cols - 1 - q, p);
    }
    x = times(x, turn);
    image = times(image, turn);
    cut = std::clamp(values[0], -0.9, 0.9999);
    std::vector<double> quotients(values.rbegin(), values.rend());
    for_pieces(n_, kPiece, ctx_, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) {
        for (int64_t c = 0; c < x.cols; ++c) image(i, c) = std::fma(-quotients[static_cast<size_t>(c)], x(i, c), image(i, c));
      }
    });
    const Matrix<double> squares = products(image, image);
    double most = 0;
    for (int64_t c = 0; c < std::min(dims, x.cols); ++c) most = std::max(most, std::sqrt(squares(c, c)));
    return most;
  }

  const UmapGraph& graph_;
  Context& ctx_;
  int64_t n_;
  std::vector<double> root_;  // 1 / sqrt(degree)
  Matrix<double> trivial_;    // sqrt(degree), of length 1: the eigenvector of 1
};

}  // namespace

Matrix<double> umap_spectral(const UmapGraph& graph, int64_t dims, Context& ctx) {
  Matrix<double> out = Spectral(graph, ctx).solve(dims);
  for (int64_t c = 0; c < dims; ++c) {
    double largest = 0;
    for (int64_t i = 0; i < out.rows; ++i) {
      if (std::fabs(out(i, c)) > std::fabs(largest)) largest = out(i, c);
    }
    for (int64_t i = 0; i < out.rows && largest < 0; ++i) out(i, c) = -out(i, c);
  }
  return out;
}

}  // namespace sluice::detail
