// Small data sets and a slow, plain k-means for the tests of this room.
#pragma once
#include <atomic>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "sluice/core/context.h"
#include "sluice/core/random.h"
#include "sluice/core/source.h"
#include "sluice/core/statistics.h"

namespace sluice::testing {

// `n` rows about `k` random centres in [-10, 10]^d, measured.
inline std::unique_ptr<MemorySource> blobs(int64_t n, int64_t d, int64_t k, double spread, uint64_t seed = 1, double offset = 0) {
  Random random(seed, RandomStage::kSubsample, 7);
  std::vector<double> centers, values;
  for (int64_t i = 0; i < k * d; ++i) centers.push_back(offset + 20 * random.uniform() - 10);
  for (int64_t i = 0; i < n; ++i) {
    const auto c = static_cast<int64_t>(random.below(static_cast<uint64_t>(k)));
    for (int64_t j = 0; j < d; ++j) values.push_back(centers[static_cast<size_t>(c * d + j)] + spread * random.normal());
  }
  auto source = std::make_unique<MemorySource>(std::move(values), n, d);
  Context ctx;
  source->stats = measure(*source, ctx);
  return source;
}

inline std::unique_ptr<MemorySource> table(std::vector<double> values, int64_t n, int64_t d) {
  auto source = std::make_unique<MemorySource>(std::move(values), n, d);
  Context ctx;
  source->stats = measure(*source, ctx);
  return source;
}

inline Matrix<double> rows_of(const Source& source, const std::vector<int64_t>& rows) {
  Matrix<double> out(static_cast<int64_t>(rows.size()), source.cols());
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto row = read_row(source, rows[i]);
    std::copy(row.begin(), row.end(), out.row(static_cast<int64_t>(i)));
  }
  return out;
}

class Memory final : public Checkpoints {
 public:
  Bytes load(const std::string&) override { return kept; }
  void save(const std::string&, Bytes state, bool) override { kept = std::move(state); }
  Bytes kept;
};

// Counts steps and asks to stop at one of them.
class StopAt final : public Progress {
 public:
  StopAt(int64_t at, std::atomic<bool>& stop) : left_(at), stop_(stop) {}
  void stage(const std::string&, int64_t) override {}
  void step(int64_t, const std::string&) override {
    if (--left_ == 0) stop_ = true;
  }
  bool never() const { return left_ > 0; }  // there were fewer steps

 private:
  int64_t left_;
  std::atomic<bool>& stop_;
};

struct PlainFit {
  Matrix<double> centers;
  std::vector<int32_t> labels;
  double inertia = 0;
};

// The nearest centre by squared distance, ties to the lowest; and the sum of those distances.
inline void plain_assign(const Source& source, PlainFit& fit) {
  fit.labels.clear();
  fit.inertia = 0;
  for (int64_t i = 0; i < source.rows(); ++i) {
    const auto row = read_row(source, i);
    double best = std::numeric_limits<double>::infinity();
    int32_t label = 0;
    for (int64_t c = 0; c < fit.centers.rows; ++c) {
      double sum = 0;
      for (int64_t j = 0; j < source.cols(); ++j)
        sum += (row[static_cast<size_t>(j)] - fit.centers(c, j)) * (row[static_cast<size_t>(j)] - fit.centers(c, j));
      if (sum < best) {
        best = sum;
        label = static_cast<int32_t>(c);
      }
    }
    fit.labels.push_back(label);
    fit.inertia += best;
  }
}

// Lloyd's method as one would write it down: no empty clusters expected.
inline PlainFit plain_kmeans(const Source& source, const Matrix<double>& start, int passes) {
  PlainFit fit{start, {}, 0};
  for (int pass = 0; pass < passes; ++pass) {
    plain_assign(source, fit);
    Matrix<double> sums(start.rows, start.cols);
    std::vector<int64_t> counts(static_cast<size_t>(start.rows));
    for (int64_t i = 0; i < source.rows(); ++i) {
      const auto row = read_row(source, i);
      const int32_t c = fit.labels[static_cast<size_t>(i)];
      ++counts[static_cast<size_t>(c)];
      for (int64_t j = 0; j < source.cols(); ++j) sums(c, j) += row[static_cast<size_t>(j)];
    }
    for (int64_t c = 0; c < start.rows; ++c) {
      for (int64_t j = 0; j < start.cols && counts[static_cast<size_t>(c)] > 0; ++j)
        fit.centers(c, j) = sums(c, j) / static_cast<double>(counts[static_cast<size_t>(c)]);
    }
  }
  plain_assign(source, fit);
  return fit;
}

}  // namespace sluice::testing
