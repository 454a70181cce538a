#include "sluice/cluster/means.h"

#include "sluice/cluster/lloyd.h"

namespace sluice {
namespace {

constexpr int64_t kMostCenterValues = int64_t{1} << 22;  // beyond, the means are left out

// The sums of each cluster's rows.
class MeansState {
 public:
  MeansState(const LimbFormat& format, const LimbFormat& weight_format, const RowColumn<int32_t>& labels, int64_t k)
      : sums(format, weight_format, k), labels_(&labels), scratch_(static_cast<size_t>(format.cols())) {}
  void accumulate(const MatrixBlock& leaf) {
    for (int64_t i = 0; i < leaf.rows; ++i) {
      const int32_t label = (*labels_)[leaf.first_row + i];
      if (label >= 0) sums.change(label, +1, leaf, i, scratch_.data());
    }
  }
  void merge(MeansState&& other) { sums.merge(other.sums); }
  void save(ByteWriter& out) const {
    for (const auto* part : {&sums.sums, &sums.weights, &sums.counts}) out.put_all(std::span<const int64_t>(*part));
  }
  void load(ByteReader& in) {
    for (auto* part : {&sums.sums, &sums.weights, &sums.counts}) {
      auto values = in.get_all<int64_t>();
      if (values.size() != part->size()) in.damaged("has another number of sums");
      *part = std::move(values);
    }
  }
  int64_t bytes() const { return static_cast<int64_t>((sums.sums.size() + sums.weights.size() + sums.counts.size()) * 8); }

  ClusterSums sums;

 private:
  const RowColumn<int32_t>* labels_;
  std::vector<double> scratch_;
};

}  // namespace

Matrix<double> cluster_means(const Source& rows, const RowColumn<int32_t>& labels, int64_t k, Context& ctx) {
  if (k == 0 || k > kMostCenterValues / rows.cols()) return {};
  const LimbFormat format(weighted_ranges(rows), rows.rows());
  const LimbFormat weights = weight_format(rows);
  MeansState total = fold(rows, [&] { return MeansState(format, weights, labels, k); }, ctx);
  Matrix<double> means(k, rows.cols());
  for (int64_t c = 0; c < k; ++c) {
    if (total.sums.weight(c) > 0) total.sums.mean(c, means.row(c));
  }
  return means;
}

}  // namespace sluice
