#include "sluice/preprocess/column_moments.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "sluice/core/exact_sum.h"
#include "sluice/core/fold.h"
#include "sluice/core/limbs.h"
#include "sluice/kernels/limb_add.h"

namespace sluice {
namespace {

// Exact column sums; a missing value is added as zero. `per_unit` (or null: 1) is what values are multiplied by first.
class SumState {
 public:
  SumState(const LimbFormat& format, bool gaps, const double* per_unit)
      : format_(&format), gaps_(gaps), per_unit_(per_unit), sums_(static_cast<size_t>(format.size())) {}
  void accumulate(const MatrixBlock& leaf) {
    scratch_.resize(static_cast<size_t>(leaf.cols));
    for (int64_t i = 0; i < leaf.rows; ++i) {
      const double* row = leaf.row(i, scratch_.data());
      if (gaps_ || per_unit_ != nullptr) {
        for (int64_t j = 0; j < leaf.cols; ++j) {
          const double x = row[j];
          scratch_[static_cast<size_t>(j)] = x != x ? 0.0 : per_unit_ != nullptr ? x * per_unit_[j] : x;
        }
        row = scratch_.data();
      }
      kernels::limb_add(sums_.data(), row, format_->magic(), leaf.cols, format_->limbs());
    }
  }
  void merge(SumState&& other) {
    for (size_t i = 0; i < sums_.size(); ++i)
      sums_[i] = static_cast<int64_t>(static_cast<uint64_t>(sums_[i]) + static_cast<uint64_t>(other.sums_[i]));
  }
  void save(ByteWriter& out) const { out.put_all(std::span<const int64_t>(sums_)); }
  void load(ByteReader& in) {
    auto sums = in.get_all<int64_t>();
    if (sums.size() != sums_.size()) in.damaged("has another number of columns");
    sums_ = std::move(sums);
  }
  int64_t bytes() const { return static_cast<int64_t>(sums_.size() * 8); }
  const int64_t* sums() const { return sums_.data(); }

 private:
  const LimbFormat* format_;
  bool gaps_;
  const double* per_unit_;
  std::vector<int64_t> sums_;
  std::vector<double> scratch_;
};

// Sums of y = x / unit - centre and of y^2.
class SquareState {
 public:
  SquareState(const std::vector<double>& per_unit, const std::vector<double>& centre)
      : per_unit_(&per_unit), centre_(&centre), sum_(centre.size()), square_(centre.size()) {}
  void accumulate(const MatrixBlock& leaf) {
    const auto d = static_cast<size_t>(leaf.cols);
    scratch_.resize(d);
    one_.assign(d, 0.0);
    two_.assign(d, 0.0);
    const double* unit = per_unit_->data();
    const double* centre = centre_->data();
    double* one = one_.data();
    double* two = two_.data();
    for (int64_t i = 0; i < leaf.rows; ++i) {
      const double* row = leaf.row(i, scratch_.data());
      for (size_t j = 0; j < d; ++j) {
        const double x = row[j];
        const double y = x != x ? 0.0 : x * unit[j] - centre[j];
        one[j] += y;
        two[j] += y * y;
      }
    }
    for (size_t j = 0; j < d; ++j) {
      sum_[j].add(one[j]);
      square_[j].add(two[j]);
    }
  }
  void merge(SquareState&& other) {
    for (size_t j = 0; j < sum_.size(); ++j) {
      sum_[j].merge(other.sum_[j]);
      square_[j].merge(other.square_[j]);
    }
  }
  void save(ByteWriter& out) const {
    for (const ExactSum& s : sum_) s.save(out);
    for (const ExactSum& s : square_) s.save(out);
  }
  void load(ByteReader& in) {
    for (ExactSum& s : sum_) s.load(in);
    for (ExactSum& s : square_) s.load(in);
  }
  int64_t bytes() const { return static_cast<int64_t>((sum_.size() + square_.size()) * sizeof(ExactSum)); }
  double sum(size_t j) const { return sum_[j].value(); }
  double square(size_t j) const { return square_[j].value(); }

 private:
  const std::vector<double>* per_unit_;
  const std::vector<double>* centre_;
  std::vector<ExactSum> sum_;
  std::vector<ExactSum> square_;
  std::vector<double> scratch_, one_, two_;
};

}  // namespace

ColumnMoments column_moments(const Source& source, Context& ctx) {
  const auto d = static_cast<size_t>(source.cols());
  const Statistics& stats = source.stats;
  ColumnMoments out{std::vector<int64_t>(d, 0), std::vector<double>(d, 0), std::vector<double>(d, 0), std::vector<double>(d, 0)};
  if (d == 0) return out;
  std::vector<LimbFormat::Range> ranges = ranges_of(stats);
  std::vector<double> per_unit(d), centre(d);
  std::vector<int> exponent(d);
  bool extreme = false;  // sums of values near the ends of double's range need another unit
  for (size_t j = 0; j < d; ++j) {
    exponent[j] = std::clamp(stats.columns[j].max_exponent(), -1000, 1000);
    per_unit[j] = std::ldexp(1.0, -exponent[j]);
    extreme |= std::abs(exponent[j]) > 900;
  }
  for (size_t j = 0; extreme && j < d; ++j) {
    ranges[j].max_exponent -= exponent[j];
    ranges[j].median_exponent -= exponent[j];
    ranges[j].sum_exponent -= exponent[j];
  }
  const LimbFormat format(ranges, source.rows());
  const SumState sums = fold(source, [&] { return SumState(format, !stats.clean(), extreme ? per_unit.data() : nullptr); }, ctx);
  for (size_t j = 0; j < d; ++j) {
    const int64_t n = stats.columns[j].finite;
    out.count[j] = n;
    if (n == 0) continue;
    const double mean = format.mean(sums.sums(), source.rows(), static_cast<int64_t>(j), static_cast<double>(n));
    centre[j] = extreme ? mean : mean * per_unit[j];
  }
  const SquareState squares = fold(source, [&] { return SquareState(per_unit, centre); }, ctx);
  for (size_t j = 0; j < d; ++j) {
    const ColumnStatistics& c = stats.columns[j];
    if (c.finite == 0) continue;
    if (c.min == c.max) {
      out.mean[j] = c.min;
      continue;
    }
    const auto n = static_cast<double>(c.finite);
    const double shift = squares.sum(j) / n;  // what the provisional centre is off by
    const double variance = std::max(0.0, (squares.square(j) - shift * squares.sum(j)) / n);
    out.mean[j] = std::clamp(std::ldexp(centre[j] + shift, exponent[j]), c.min, c.max);
    out.variance[j] = std::ldexp(variance, 2 * exponent[j]);
    out.deviation[j] = std::ldexp(std::sqrt(variance), exponent[j]);
  }
  return out;
}

}  // namespace sluice
