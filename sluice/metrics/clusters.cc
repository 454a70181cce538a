#include "sluice/metrics/clusters.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <unordered_set>

#include "sluice/core/limbs.h"
#include "sluice/kernels/dist64.h"
#include "sluice/kernels/limb_add.h"

namespace sluice {
namespace {

class MeansState {
 public:
  MeansState(const LimbFormat& format, const Clusters& clusters)
      : format_(&format), clusters_(&clusters), sums_(static_cast<size_t>(format.size() * clusters.count())) {}

  void accumulate(const MatrixBlock& leaf) {
    const int32_t* number = clusters_->number.at(leaf.first_row);
    for (int64_t i = 0; i < leaf.rows; ++i) {
      if (number[i] < 0) continue;
      int64_t* sums = sums_.data() + number[i] * format_->size();
      if (leaf.dtype == DType::kF64) {
        kernels::limb_add(sums, leaf.view().f64(i), format_->magic(), leaf.cols, format_->limbs());
      } else {
        kernels::limb_add(sums, leaf.view().f32(i), format_->magic(), leaf.cols, format_->limbs());
      }
    }
  }
  void merge(MeansState&& other) { add(other.sums_); }
  void save(ByteWriter& out) const { out.put_all(std::span<const int64_t>(sums_)); }
  void load(ByteReader& in) {
    auto sums = in.get_all<int64_t>();
    if (sums.size() != sums_.size()) in.damaged("has other clusters");
    sums_ = std::move(sums);
  }
  int64_t bytes() const { return static_cast<int64_t>(sums_.size() * 8); }

  ClusterMeans means() const {
    ClusterMeans out;
    out.mean = Matrix<double>(clusters_->count(), format_->cols());
    std::vector<int64_t> all(static_cast<size_t>(format_->size()));
    for (int64_t c = 0; c < out.mean.rows; ++c) {
      const int64_t* sums = sums_.data() + c * format_->size();
      const int64_t size = clusters_->sizes[static_cast<size_t>(c)];
      for (int64_t j = 0; j < out.mean.cols; ++j) out.mean(c, j) = format_->mean(sums, size, j, static_cast<double>(size));
      for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int64_t>(static_cast<uint64_t>(all[i]) + static_cast<uint64_t>(sums[i]));
    }
    const int64_t rows = clusters_->rows();
    for (int64_t j = 0; j < out.mean.cols && rows > 0; ++j)
      out.overall.push_back(format_->mean(all.data(), rows, j, static_cast<double>(rows)));
    return out;
  }

 private:
  void add(const std::vector<int64_t>& other) {
    for (size_t i = 0; i < sums_.size(); ++i)
      sums_[i] = static_cast<int64_t>(static_cast<uint64_t>(sums_[i]) + static_cast<uint64_t>(other[i]));
  }
  const LimbFormat* format_;
  const Clusters* clusters_;
  std::vector<int64_t> sums_;
};

class ScatterState {
 public:
  ScatterState(const Clusters& clusters, const Matrix<double>& means)
      : clusters_(&clusters),
        means_(&means),
        squares_(clusters.count()),
        distances_(clusters.count()),
        scratch_(static_cast<size_t>(means.cols)) {}

  void accumulate(const MatrixBlock& leaf) {
    const int32_t* number = clusters_->number.at(leaf.first_row);
    for (int64_t i = 0; i < leaf.rows; ++i) {
      if (number[i] < 0) continue;
      const double square = kernels::squared_distance(leaf.row(i, scratch_.data()), means_->row(number[i]), leaf.cols);
      squares_.add(number[i], square);
      distances_.add(number[i], std::sqrt(square));
    }
  }
  void merge(ScatterState&& other) {
    squares_.merge(other.squares_);
    distances_.merge(other.distances_);
  }
  void save(ByteWriter& out) const {
    squares_.save(out);
    distances_.save(out);
  }
  void load(ByteReader& in) {
    squares_.load(in);
    distances_.load(in);
  }
  int64_t bytes() const { return squares_.bytes() + distances_.bytes(); }
  Scatter scatter() const { return {squares_.values(), distances_.values(), squares_.total()}; }

 private:
  const Clusters* clusters_;
  const Matrix<double>* means_;
  GroupSums squares_;
  GroupSums distances_;
  std::vector<double> scratch_;
};

}  // namespace

int64_t Clusters::rows() const {
  int64_t sum = 0;
  for (const int64_t size : sizes) sum += size;
  return sum;
}

RowColumn<int32_t> own_labels(std::span<const int32_t> all, const Source& rows, Context& ctx) {
  if (static_cast<int64_t>(all.size()) != rows.rows()) {
    fail(ErrorCode::kBadInput, "labels", std::to_string(all.size()) + " labels of " + std::to_string(rows.rows()) + " rows",
         "give one label a row");
  }
  const LeafRange range = leaf_range(rows.rows(), rows.cols(), ctx);
  RowColumn<int32_t> mine(range, -1);
  std::copy(all.begin() + range.first_row(), all.begin() + range.last_row(), mine.at(range.first_row()));
  return mine;
}

Clusters clusters_of(const RowColumn<int32_t>& labels, Context& ctx) {
  Clusters out;
  const std::span<const int32_t> mine(labels.at(labels.first_row()), static_cast<size_t>(labels.last_row() - labels.first_row()));
  const std::unordered_set<int32_t> seen(mine.begin(), mine.end());
  out.labels.assign(seen.begin(), seen.end());
  if (ctx.ranks() > 1) {
    std::vector<int32_t> all;
    for (const Bytes& part : ctx.comm->all_gather(std::as_bytes(std::span<const int32_t>(out.labels)))) {
      const auto* theirs = reinterpret_cast<const int32_t*>(part.data());
      all.insert(all.end(), theirs, theirs + part.size() / sizeof(int32_t));
    }
    out.labels = std::move(all);
  }
  std::sort(out.labels.begin(), out.labels.end());
  out.labels.erase(std::unique(out.labels.begin(), out.labels.end()), out.labels.end());
  if (!out.labels.empty() && out.labels[0] < -1) {
    fail(ErrorCode::kBadInput, "labels", "a label is " + std::to_string(out.labels[0]), "clusters are numbered from 0, and -1 is noise");
  }
  if (!out.labels.empty() && out.labels[0] == -1) out.labels.erase(out.labels.begin());
  out.number = labels;
  std::vector<int64_t> counts(out.labels.size() + 1);  // noise last
  for (int64_t row = labels.first_row(); row < labels.last_row(); ++row) {
    int32_t& number = out.number[row];
    if (number >= 0) number = static_cast<int32_t>(std::lower_bound(out.labels.begin(), out.labels.end(), number) - out.labels.begin());
    ++counts[number >= 0 ? static_cast<size_t>(number) : out.labels.size()];
  }
  if (ctx.ranks() > 1) ctx.comm->sum(counts);
  out.n_noise = counts.back();
  counts.pop_back();
  out.sizes = std::move(counts);
  return out;
}

ClusterMeans cluster_means(const Source& rows, const Clusters& clusters, Context& ctx) {
  const LimbFormat format(ranges_of(rows.stats), rows.rows());
  return fold(rows, [&] { return MeansState(format, clusters); }, ctx).means();
}

Scatter cluster_scatter(const Source& rows, const Clusters& clusters, const Matrix<double>& means, Context& ctx) {
  return fold(rows, [&] { return ScatterState(clusters, means); }, ctx).scatter();
}

void GroupSums::merge(const GroupSums& other) {
  for (size_t i = 0; i < sums_.size(); ++i) sums_[i].merge(other.sums_[i]);
}
void GroupSums::save(ByteWriter& out) const {
  for (const ExactSum& sum : sums_) sum.save(out);
}
void GroupSums::load(ByteReader& in) {
  for (ExactSum& sum : sums_) sum.load(in);
}
std::vector<double> GroupSums::values() const {
  std::vector<double> out;
  for (const ExactSum& sum : sums_) out.push_back(sum.value());
  return out;
}
double GroupSums::total() const {
  ExactSum all;
  for (const ExactSum& sum : sums_) all.merge(sum);
  return all.value();
}

GroupSums add_over_ranks(GroupSums mine, int64_t groups, Context& ctx) {
  if (ctx.ranks() == 1) return mine;
  GroupSums all(groups);
  ByteWriter out;
  mine.save(out);
  for (const Bytes& bytes : ctx.comm->all_gather(out.take())) {
    ByteReader in(bytes);
    GroupSums theirs(groups);
    theirs.load(in);
    in.expect_end();
    all.merge(theirs);
  }
  return all;
}

}  // namespace sluice
