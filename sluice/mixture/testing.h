// Rows for this room's tests, and EM as one would write it down.
#pragma once
#include <atomic>
#include <cmath>
#include <vector>

#include "sluice/core/random.h"
#include "sluice/mixture/gmm.h"

namespace sluice::testing {

inline Context context(int threads = 1, int64_t leaf = 0) {
  Context ctx;
  ctx.threads = threads;
  ctx.leaf_rows = leaf;
  return ctx;
}

// A measured source.
inline MemorySource source_of(std::vector<double> values, int64_t cols) {
  const auto rows = static_cast<int64_t>(values.size()) / cols;
  MemorySource source(std::move(values), rows, cols);
  Context ctx;
  source.stats = measure(source, ctx);
  return source;
}

// k overlapping slanted groups of unit size about points some units apart.
inline std::vector<double> groups(int64_t n, int64_t d, int64_t k, double apart, uint64_t seed) {
  std::vector<double> values;
  std::vector<double> z(static_cast<size_t>(d));
  for (int64_t i = 0; i < n; ++i) {
    Random random(seed, RandomStage::kSubsample, static_cast<uint64_t>(i));
    const auto c = static_cast<int64_t>(random.below(static_cast<uint64_t>(k)));
    Random place(seed, RandomStage::kNullReference, static_cast<uint64_t>(c));
    for (double& x : z) x = random.normal();
    for (int64_t j = 0; j < d; ++j)
      values.push_back(apart * place.normal() + z[static_cast<size_t>(j)] + 0.5 * z[static_cast<size_t>((j + 1 + c) % d)]);
  }
  return values;
}

inline Matrix<double> some_rows(const MemorySource& rows, int64_t k) {
  Matrix<double> out(k, rows.cols());
  for (int64_t c = 0; c < k; ++c) {
    const auto row = read_row(rows, c * (rows.rows() / k));
    std::copy(row.begin(), row.end(), out.row(c));
  }
  return out;
}

class Memory final : public Checkpoints {
 public:
  Bytes load(const std::string&) override { return kept; }
  void save(const std::string&, Bytes state, bool) override { kept = std::move(state); }
  Bytes kept;
};

// Asks to stop at one of the steps.
class StopAt final : public Progress {
 public:
  StopAt(int64_t at, std::atomic<bool>& stop) : left_(at), stop_(stop) {}
  void stage(const std::string&, int64_t) override {}
  void step(int64_t, const std::string&) override {
    if (--left_ == 0) stop_ = true;
  }

 private:
  int64_t left_;
  std::atomic<bool>& stop_;
};

// Inverse and log determinant by Gauss and Jordan, without choice of the pivot: for positive definite matrices.
inline double invert(std::vector<long double>& a, size_t d) {
  long double log_det = 0;
  for (size_t p = 0; p < d; ++p) {
    const long double pivot = a[p * d + p];
    log_det += std::log(pivot);
    a[p * d + p] = 1;
    for (size_t j = 0; j < d; ++j) a[p * d + j] /= pivot;
    for (size_t i = 0; i < d; ++i) {
      if (i == p) continue;
      const long double factor = a[i * d + p];
      a[i * d + p] = 0;
      for (size_t j = 0; j < d; ++j) a[i * d + j] -= factor * a[p * d + j];
    }
  }
  return static_cast<double>(log_det);
}

// Full covariances, k x d x d in one vector.
struct PlainMixture {
  std::vector<long double> weights, means, covariances;
};

// Log densities under `model` and, as a second result, the model of the next step. weight: of each row.
inline std::vector<long double> plain_step(const std::vector<double>& x, size_t d, const std::vector<double>& weight, double ridge,
                                           PlainMixture& model) {
  const size_t k = model.weights.size(), n = weight.size();
  std::vector<std::vector<long double>> inverse(k);
  std::vector<long double> log_det(k), density(n), claims(n * k);
  for (size_t c = 0; c < k; ++c) {
    inverse[c].assign(model.covariances.begin() + static_cast<int64_t>(c * d * d),
                      model.covariances.begin() + static_cast<int64_t>((c + 1) * d * d));
    log_det[c] = invert(inverse[c], d);
  }
  for (size_t r = 0; r < n; ++r) {
    long double sum = 0;
    for (size_t c = 0; c < k; ++c) {
      long double square = 0;
      for (size_t i = 0; i < d; ++i) {
        for (size_t j = 0; j < d; ++j)
          square += (x[r * d + i] - model.means[c * d + i]) * inverse[c][i * d + j] * (x[r * d + j] - model.means[c * d + j]);
      }
      claims[r * k + c] =
          model.weights[c] * std::exp(-(square + log_det[c] + static_cast<long double>(d) * std::log(2 * std::acos(-1.0L))) / 2);
      sum += claims[r * k + c];
    }
    density[r] = std::log(sum);
    for (size_t c = 0; c < k; ++c) claims[r * k + c] *= weight[r] / sum;
  }
  long double all = 0;
  for (size_t c = 0; c < k; ++c) {
    long double total = 0;
    for (size_t r = 0; r < n; ++r) total += claims[r * k + c];
    for (size_t i = 0; i < d; ++i) {
      long double sum = 0;
      for (size_t r = 0; r < n; ++r) sum += claims[r * k + c] * x[r * d + i];
      model.means[c * d + i] = sum / total;
    }
    for (size_t i = 0; i < d; ++i) {
      for (size_t j = 0; j < d; ++j) {
        long double sum = 0;
        for (size_t r = 0; r < n; ++r)
          sum += claims[r * k + c] * (x[r * d + i] - model.means[c * d + i]) * (x[r * d + j] - model.means[c * d + j]);
        model.covariances[c * d * d + i * d + j] = sum / total + (i == j ? ridge : 0);
      }
    }
    model.weights[c] = total;
    all += total;
  }
  for (long double& w : model.weights) w /= all;
  return density;
}

}  // namespace sluice::testing
