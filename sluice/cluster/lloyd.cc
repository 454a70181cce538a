#include "sluice/cluster/lloyd.h"

#include <algorithm>
#include <cmath>

#include "sluice/kernels/limb_add.h"

namespace sluice {
namespace {

void add_wrapping(std::vector<int64_t>& to, const std::vector<int64_t>& from) {
  for (size_t i = 0; i < to.size(); ++i) to[i] = static_cast<int64_t>(static_cast<uint64_t>(to[i]) + static_cast<uint64_t>(from[i]));
}

std::vector<int64_t> checked(ByteReader& in, size_t size) {
  auto values = in.get_all<int64_t>();
  if (values.size() != size) in.damaged("has another number of sums");
  return values;
}

bool farther(const FarRow& a, const FarRow& b) {
  return a.distance != b.distance ? a.distance > b.distance : a.row < b.row;
}

// The farthest rows seen so far. Taking the first `most` of a total order does not depend on the order of arrival.
class FarthestState {
 public:
  FarthestState(const kernels::AssignPlan& plan, int64_t most) : plan_(&plan), most_(static_cast<size_t>(most)) {}

  void accumulate(const MatrixBlock& leaf) {
    make_room(leaf.rows);
    plan_->assign(leaf.view(), labels_.data(), distances_.data(), scratch_);
    take(leaf);
  }
  void accumulate(const CsrBlock& leaf) {
    make_room(leaf.rows);
    plan_->assign(leaf.view(), labels_.data(), distances_.data(), sparse_scratch_);
    take(leaf);
  }
  void merge(FarthestState&& other) {
    rows.insert(rows.end(), other.rows.begin(), other.rows.end());
    keep_best();
  }
  void save(ByteWriter& out) const { out.put_all(std::span<const FarRow>(rows)); }
  void load(ByteReader& in) { rows = in.get_all<FarRow>(); }
  int64_t bytes() const { return static_cast<int64_t>(rows.size() * sizeof(FarRow)); }

  std::vector<FarRow> rows;

 private:
  void make_room(int64_t rows_in_leaf) {
    labels_.resize(static_cast<size_t>(rows_in_leaf));
    distances_.resize(static_cast<size_t>(rows_in_leaf));
  }
  template <class Block>
  void take(const Block& leaf) {
    for (int64_t i = 0; i < leaf.rows; ++i) {
      const double distance = distances_[static_cast<size_t>(i)];
      if (distance > 0 && leaf.weight(i) > 0 && has_direction(leaf, i)) rows.push_back({distance, leaf.first_row + i});
    }
    keep_best();
  }
  bool has_direction(const CsrBlock& leaf, int64_t i) const { return plan_->metric() != kernels::Metric::kCosine || leaf.count(i) > 0; }
  // A row of zeros has none, and as a centre of cosine it would be near to what points away from all others.
  bool has_direction(const MatrixBlock& leaf, int64_t i) {
    if (plan_->metric() != kernels::Metric::kCosine) return true;
    scratch_row_.resize(static_cast<size_t>(leaf.cols));
    const double* row = leaf.row(i, scratch_row_.data());
    return std::any_of(row, row + leaf.cols, [](double x) { return x != 0; });
  }
  void keep_best() {
    std::sort(rows.begin(), rows.end(), farther);
    if (rows.size() > most_) rows.resize(most_);
  }
  const kernels::AssignPlan* plan_;
  size_t most_;
  kernels::AssignScratch scratch_;
  kernels::SparseScratch sparse_scratch_;
  std::vector<int32_t> labels_;
  std::vector<double> distances_;
  std::vector<double> scratch_row_;
};

}  // namespace

std::vector<LimbFormat::Range> weighted_ranges(const Source& rows) {
  std::vector<LimbFormat::Range> ranges = ranges_of(rows.stats);
  if (rows.max_weight() > 0) {
    int exponent = 0;
    std::frexp(rows.max_weight(), &exponent);
    for (LimbFormat::Range& range : ranges) {
      range.max_exponent += exponent;
      range.sum_exponent += exponent;
    }
  }
  return ranges;
}

LimbFormat weight_format(const Source& rows) {
  if (!(rows.max_weight() > 0)) return {};
  int exponent = 0;
  std::frexp(rows.max_weight(), &exponent);
  int log_rows = 0;
  std::frexp(static_cast<double>(rows.rows()), &log_rows);
  const LimbFormat::Range range{exponent, exponent - 40, exponent + log_rows};
  return LimbFormat(std::span(&range, 1), rows.rows());
}

ClusterSums::ClusterSums(const LimbFormat& format, const LimbFormat& weight_format, int64_t k)
    : format(&format),
      weight_format(&weight_format),
      sums(static_cast<size_t>(k * format.size())),
      weights(static_cast<size_t>(k * weight_format.size())),
      counts(static_cast<size_t>(k)) {}

void ClusterSums::merge(const ClusterSums& other) {
  add_wrapping(sums, other.sums);
  add_wrapping(weights, other.weights);
  add_wrapping(counts, other.counts);
  sparse |= other.sparse;
}

void ClusterSums::change(int64_t c, int sign, const MatrixBlock& leaf, int64_t row, double* scratch) {
  int64_t* into = sums.data() + c * format->size();
  const int limbs = format->limbs();
  counts[static_cast<size_t>(c)] += sign;
  if (leaf.weights != nullptr) {
    const double w = leaf.weights[row];
    const double* x = leaf.row(row, scratch);
    for (int64_t j = 0; j < leaf.cols; ++j) scratch[j] = w * x[j];
    const auto change = sign > 0
                            ? static_cast<void (*)(int64_t*, const double*, const double*, int64_t, int) noexcept>(kernels::limb_add)
                            : static_cast<void (*)(int64_t*, const double*, const double*, int64_t, int) noexcept>(kernels::limb_subtract);
    change(into, scratch, format->magic(), leaf.cols, limbs);
    change(weights.data() + c * weight_format->size(), &w, weight_format->magic(), 1, weight_format->limbs());
  } else if (leaf.dtype == DType::kF64) {
    const double* x = leaf.view().f64(row);
    sign > 0 ? kernels::limb_add(into, x, format->magic(), leaf.cols, limbs)
             : kernels::limb_subtract(into, x, format->magic(), leaf.cols, limbs);
  } else {
    const float* x = leaf.view().f32(row);
    sign > 0 ? kernels::limb_add(into, x, format->magic(), leaf.cols, limbs)
             : kernels::limb_subtract(into, x, format->magic(), leaf.cols, limbs);
  }
}

void ClusterSums::change(int64_t c, int sign, const CsrBlock& leaf, int64_t row, double* scratch) {
  sparse = true;
  counts[static_cast<size_t>(c)] += sign;
  const double* values = leaf.values + leaf.begin(row);
  const int64_t count = leaf.count(row);
  if (leaf.weights != nullptr) {
    const double w = leaf.weights[row];
    for (int64_t p = 0; p < count; ++p) scratch[p] = w * values[p];
    values = scratch;
    const auto change = sign > 0
                            ? static_cast<void (*)(int64_t*, const double*, const double*, int64_t, int) noexcept>(kernels::limb_add)
                            : static_cast<void (*)(int64_t*, const double*, const double*, int64_t, int) noexcept>(kernels::limb_subtract);
    change(weights.data() + c * weight_format->size(), &w, weight_format->magic(), 1, weight_format->limbs());
  }
  kernels::sparse_limb_add(sums.data() + c * format->size(), leaf.indices + leaf.begin(row), values, count, format->magic(), leaf.cols,
                           format->limbs(), sign);
}

double ClusterSums::weight(int64_t c) const {
  const int64_t count = counts[static_cast<size_t>(c)];
  if (weights.empty()) return static_cast<double>(count);
  return weight_format->value(weights.data() + c * weight_format->size(), count, 0);
}

void ClusterSums::mean(int64_t c, double* out) const {
  const double divisor = weight(c);
  for (int64_t j = 0; j < format->cols(); ++j)
    out[j] = format->mean(sums.data() + c * format->size(), sparse ? 0 : counts[static_cast<size_t>(c)], j, divisor);
}

LloydState::LloydState(const kernels::AssignPlan& plan, const LimbFormat& format, const LimbFormat& weight_format,
                       RowColumn<int32_t>& labels)
    : delta(format, weight_format, plan.k()), plan_(&plan), labels_(&labels) {}

void LloydState::accumulate(const MatrixBlock& leaf) {
  fresh_.resize(static_cast<size_t>(leaf.rows));
  plan_->assign(leaf.view(), fresh_.data(), nullptr, scratch_);
  take(leaf);
}

void LloydState::accumulate(const CsrBlock& leaf) {
  fresh_.resize(static_cast<size_t>(leaf.rows));
  plan_->assign(leaf.view(), fresh_.data(), nullptr, sparse_scratch_);
  take(leaf);
}

template <class Block>
void LloydState::take(const Block& leaf) {
  row_.resize(static_cast<size_t>(leaf.cols));
  int32_t* before = labels_->at(leaf.first_row);
  for (int64_t i = 0; i < leaf.rows; ++i) {
    const int32_t now = fresh_[static_cast<size_t>(i)];
    if (now == before[i]) continue;
    ++moved;
    if (before[i] >= 0) delta.change(before[i], -1, leaf, i, row_.data());
    delta.change(now, +1, leaf, i, row_.data());
    before[i] = now;
  }
}

void LloydState::merge(LloydState&& other) {
  delta.merge(other.delta);
  moved += other.moved;
}

void LloydState::save(ByteWriter& out) const {
  out.put(moved);
  out.put_all(std::span<const int64_t>(delta.sums));
  out.put_all(std::span<const int64_t>(delta.weights));
  out.put_all(std::span<const int64_t>(delta.counts));
  out.put(delta.sparse);
}

void LloydState::load(ByteReader& in) {
  moved = in.get<int64_t>();
  delta.sums = checked(in, delta.sums.size());
  delta.weights = checked(in, delta.weights.size());
  delta.counts = checked(in, delta.counts.size());
  delta.sparse = in.get<uint8_t>() != 0;
}

int64_t LloydState::bytes() const {
  return static_cast<int64_t>((delta.sums.size() + delta.weights.size() + delta.counts.size()) * 8);
}

ObjectiveState::ObjectiveState(const kernels::AssignPlan& plan, RowColumn<int32_t>& labels)
    : counts(static_cast<size_t>(plan.k())), plan_(&plan), labels_(&labels) {}

void ObjectiveState::accumulate(const MatrixBlock& leaf) {
  distances_.resize(static_cast<size_t>(leaf.rows));
  int32_t* labels = labels_->at(leaf.first_row);
  plan_->assign(leaf.view(), labels, distances_.data(), scratch_);
  take(leaf, labels);
}

void ObjectiveState::accumulate(const CsrBlock& leaf) {
  distances_.resize(static_cast<size_t>(leaf.rows));
  int32_t* labels = labels_->at(leaf.first_row);
  plan_->assign(leaf.view(), labels, distances_.data(), sparse_scratch_);
  take(leaf, labels);
}

template <class Block>
void ObjectiveState::take(const Block& leaf, int32_t* labels) {
  double total = 0;
  for (int64_t i = 0; i < leaf.rows; ++i) {
    // 1 - cos of a row with itself may round to a little below 0.
    total = std::fma(leaf.weight(i), std::max(0.0, distances_[static_cast<size_t>(i)]), total);
    ++counts[static_cast<size_t>(labels[i])];
  }
  objective.add(total);
}

void ObjectiveState::merge(ObjectiveState&& other) {
  objective.merge(other.objective);
  add_wrapping(counts, other.counts);
}

void ObjectiveState::save(ByteWriter& out) const {
  objective.save(out);
  out.put_all(std::span<const int64_t>(counts));
}

void ObjectiveState::load(ByteReader& in) {
  objective.load(in);
  counts = checked(in, counts.size());
}

int64_t ObjectiveState::bytes() const {
  return static_cast<int64_t>(counts.size() * 8) + objective.bytes();
}

std::vector<FarRow> farthest_rows(const Source& rows, const kernels::AssignPlan& plan, int64_t most, Context& ctx) {
  return fold(rows, [&] { return FarthestState(plan, most); }, ctx).rows;
}

}  // namespace sluice
