#include "sluice/core/moments.h"

#include <algorithm>
#include <cmath>

#include "sluice/core/exact_sum.h"
#include "sluice/core/fold.h"
#include "sluice/core/limbs.h"
#include "sluice/kernels/limb_add.h"
#include "sluice/kernels/moments.h"
#include "sluice/kernels/sparse_rows.h"

namespace sluice {
namespace {

// Sums of columns. Unweighted: fixed point row by row. Weighted: leaf totals, since products have no common quantum.
class MeanState {
 public:
  MeanState(const LimbFormat& format)
      : format_(&format), sums_(static_cast<size_t>(format.size())), weighted_(static_cast<size_t>(format.cols())) {}

  void accumulate(const MatrixBlock& leaf) {
    if (leaf.weights != nullptr) return accumulate_weighted(leaf);
    for (int64_t i = 0; i < leaf.rows; ++i) {
      if (leaf.dtype == DType::kF64) {
        kernels::limb_add(sums_.data(), leaf.view().f64(i), format_->magic(), leaf.cols, format_->limbs());
      } else {
        kernels::limb_add(sums_.data(), leaf.view().f32(i), format_->magic(), leaf.cols, format_->limbs());
      }
    }
    rows_ += leaf.rows;
  }
  // The same sums: a zero adds nothing to them.
  void accumulate(const CsrBlock& leaf) {
    sparse_ = true;
    if (leaf.weights != nullptr) return accumulate_weighted(leaf);
    const int64_t entries = leaf.begin(leaf.rows);
    kernels::sparse_limb_add(sums_.data(), leaf.indices, leaf.values, entries, format_->magic(), leaf.cols, format_->limbs(), +1);
    rows_ += leaf.rows;
  }
  void merge(MeanState&& other) {
    for (size_t i = 0; i < sums_.size(); ++i)
      sums_[i] = static_cast<int64_t>(static_cast<uint64_t>(sums_[i]) + static_cast<uint64_t>(other.sums_[i]));
    for (size_t j = 0; j < weighted_.size(); ++j) weighted_[j].merge(other.weighted_[j]);
    weight_.merge(other.weight_);
    rows_ += other.rows_;
    sparse_ |= other.sparse_;
  }
  void save(ByteWriter& out) const {
    out.put(rows_);
    out.put(sparse_);
    out.put_all(std::span<const int64_t>(sums_));
    for (const ExactSum& sum : weighted_) sum.save(out);
    weight_.save(out);
  }
  void load(ByteReader& in) {
    rows_ = in.get<int64_t>();
    sparse_ = in.get<uint8_t>() != 0;
    auto sums = in.get_all<int64_t>();
    if (sums.size() != sums_.size()) in.damaged("has another number of columns");
    sums_ = std::move(sums);
    for (ExactSum& sum : weighted_) sum.load(in);
    weight_.load(in);
  }
  int64_t bytes() const { return static_cast<int64_t>(sums_.size() * 8 + weighted_.size() * sizeof(ExactSum)); }

  double weight() const { return static_cast<double>(rows_) + weight_.value(); }
  std::vector<double> means() const {
    std::vector<double> out(weighted_.size());
    const double total = weight();
    for (size_t j = 0; j < out.size() && total > 0; ++j) {
      const auto col = static_cast<int64_t>(j);
      out[j] = rows_ > 0 ? format_->mean(sums_.data(), sparse_ ? 0 : rows_, col, total) : weighted_[j].value() / total;
    }
    return out;
  }

 private:
  void accumulate_weighted(const MatrixBlock& leaf) {
    std::vector<double> total(weighted_.size());
    std::vector<double> scratch(weighted_.size());
    double weight = 0;
    for (int64_t i = 0; i < leaf.rows; ++i) {
      const double w = leaf.weights[i];
      const double* row = leaf.row(i, scratch.data());
      for (size_t j = 0; j < total.size(); ++j) total[j] = std::fma(w, row[j], total[j]);
      weight += w;
    }
    for (size_t j = 0; j < total.size(); ++j) weighted_[j].add(total[j]);
    weight_.add(weight);
  }
  void accumulate_weighted(const CsrBlock& leaf) {
    std::vector<double> total(weighted_.size());
    double weight = 0;
    for (int64_t i = 0; i < leaf.rows; ++i) {
      const int64_t begin = leaf.begin(i);
      for (int64_t p = begin; p < begin + leaf.count(i); ++p) {
        double& to = total[static_cast<size_t>(leaf.indices[p])];
        to = std::fma(leaf.weights[i], leaf.values[p], to);
      }
      weight += leaf.weights[i];
    }
    for (size_t j = 0; j < total.size(); ++j) weighted_[j].add(total[j]);
    weight_.add(weight);
  }
  const LimbFormat* format_;
  bool sparse_ = false;  // sums_ hold no pattern of the magic numbers
  std::vector<int64_t> sums_;
  std::vector<ExactSum> weighted_;
  ExactSum weight_;
  int64_t rows_ = 0;
};

// Sums of squared deviations from a given centre, as leaf totals.
class SquaresState {
 public:
  explicit SquaresState(const std::vector<double>& center) : center_(&center), sums_(center.size()) {}

  void accumulate(const MatrixBlock& leaf) {
    std::vector<double> total(sums_.size());
    if (leaf.weights == nullptr) {
      std::vector<double> ignored(sums_.size());
      kernels::column_sums(leaf.view(), center_->data(), ignored.data(), total.data());
    } else {
      std::vector<double> scratch(sums_.size());
      for (int64_t i = 0; i < leaf.rows; ++i) {
        const double* row = leaf.row(i, scratch.data());
        for (size_t j = 0; j < total.size(); ++j) {
          const double y = row[j] - (*center_)[j];
          total[j] = std::fma(leaf.weights[i] * y, y, total[j]);
        }
      }
    }
    for (size_t j = 0; j < total.size(); ++j) sums_[j].add(total[j]);
  }
  // The zeros of a column at once: the same sum but for its rounding.
  void accumulate(const CsrBlock& leaf) {
    std::vector<double> total(sums_.size());
    std::vector<double> there(sums_.size());  // weight of the rows that have a value
    double weight = 0;
    for (int64_t i = 0; i < leaf.rows; ++i) {
      const double w = leaf.weight(i);
      const int64_t begin = leaf.begin(i);
      for (int64_t p = begin; p < begin + leaf.count(i); ++p) {
        const auto j = static_cast<size_t>(leaf.indices[p]);
        const double y = leaf.values[p] - (*center_)[j];
        total[j] = std::fma(w * y, y, total[j]);
        there[j] += w;
      }
      weight += w;
    }
    for (size_t j = 0; j < total.size(); ++j) {
      const double zeros = std::max(0.0, weight - there[j]);
      sums_[j].add(std::fma(zeros * (*center_)[j], (*center_)[j], total[j]));
    }
  }
  void merge(SquaresState&& other) {
    for (size_t j = 0; j < sums_.size(); ++j) sums_[j].merge(other.sums_[j]);
  }
  void save(ByteWriter& out) const {
    for (const ExactSum& sum : sums_) sum.save(out);
  }
  void load(ByteReader& in) {
    for (ExactSum& sum : sums_) sum.load(in);
  }
  int64_t bytes() const { return static_cast<int64_t>(sums_.size() * sizeof(ExactSum)); }
  double value(size_t j) const { return sums_[j].value(); }

 private:
  const std::vector<double>* center_;
  std::vector<ExactSum> sums_;
};

MeanState mean_fold(const Source& source, const LimbFormat& format, Context& ctx) {
  return fold(source, [&] { return MeanState(format); }, ctx);
}

}  // namespace

std::vector<double> column_means(const Source& source, Context& ctx) {
  const LimbFormat format(ranges_of(source.stats), source.rows());
  return mean_fold(source, format, ctx).means();
}

Moments moments(const Source& source, Context& ctx) {
  const LimbFormat format(ranges_of(source.stats), source.rows());
  const MeanState first = mean_fold(source, format, ctx);
  Moments out;
  out.mean = first.means();
  out.weight = first.weight();
  const SquaresState second = fold(source, [&] { return SquaresState(out.mean); }, ctx);
  out.variance.resize(out.mean.size());
  for (size_t j = 0; j < out.variance.size() && out.weight > 0; ++j) out.variance[j] = second.value(j) / out.weight;
  return out;
}

}  // namespace sluice
