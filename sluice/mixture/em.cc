#include "sluice/mixture/em.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "sluice/core/math.h"
#include "sluice/mixture/covariances.h"

namespace sluice::mixture {
namespace {

constexpr int64_t kBlockRows = 512;  // claims of 16 components are 64 KiB then
constexpr int kLeastExponent = -500, kMostExponent = 511;

int exponent_above(double value) {
  int exponent = 0;
  if (value > 0) std::frexp(value, &exponent);
  return exponent;
}

// Eight lanes and a fixed tree: a block begins at a fixed row of its leaf, so the order is the leaf's alone.
double lane_sum(const double* values, int64_t n) {
  std::array<double, 8> lane{};
  int64_t r = 0;
  for (; r + 8 <= n; r += 8) {
    for (size_t l = 0; l < 8; ++l) lane[l] += values[r + static_cast<int64_t>(l)];
  }
  for (size_t l = 0; r < n; ++r, ++l) lane[l] += values[r];
  return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

// Log densities of a block from peaks and sums; returns their weighted sum.
double log_densities(const MatrixBlock& block, const double* peak, const double* sum, double* to) {
  double total = 0;
  for (int64_t r = 0; r < block.rows; ++r) {
    to[r] = peak[r] + log64(sum[r]);
    total += block.weight(r) * to[r];
  }
  return total;
}

template <class F>
void each_block(const MatrixBlock& leaf, const F& f) {
  for (int64_t first = 0; first < leaf.rows; first += kBlockRows) f(leaf.slice(first, std::min(kBlockRows, leaf.rows - first)));
}

}  // namespace

EmPlan::EmPlan(const Source& rows, CovarianceType type, const Matrix<double>& about, const Context& ctx)
    : k(about.rows), d(about.cols), type(type), about(&about), format(leaf_range(rows.rows(), rows.cols(), ctx)) {
  const int weight = exponent_above(rows.max_weight());
  weight_scale = std::ldexp(1.0, -weight);
  for (int64_t j = 0; j < d; ++j) {
    const ColumnStatistics& stats = rows.stats.columns[static_cast<size_t>(j)];
    double widest = 0;
    for (int64_t c = 0; c < k; ++c) widest = std::max({widest, stats.max - about(c, j), about(c, j) - stats.min});
    const int exponent = std::clamp(exponent_above(widest), kLeastExponent, kMostExponent);
    right.push_back(std::ldexp(1.0, -exponent));
    left.push_back(right.back() * weight_scale);
  }
}

int64_t EmPlan::seconds() const {
  return dense() ? d * d : d;
}

int64_t EmPlan::kept_seconds() const {
  return dense() ? d * (d + 1) / 2 : d;
}

EmState::EmState(const EmPlan& plan)
    : plan_(&plan), high_(static_cast<size_t>(plan.totals())), low_(high_.size()), weights_(static_cast<size_t>(plan.k)) {}

void EmState::accumulate(const MatrixBlock& leaf) {
  const int64_t k = plan_->k, d = plan_->d;
  std::fill(weights_.begin(), weights_.end(), 0.0);
  first_.assign(static_cast<size_t>(k * d), 0.0);
  second_.assign(static_cast<size_t>(plan_->second_sets() * plan_->seconds()), 0.0);
  claims_.resize(static_cast<size_t>(k * kBlockRows));
  if (plan_->narrow()) lanes_.assign(static_cast<size_t>(8 * k * kernels::narrow_entries(d)), 0.0);
  leaf_log_likelihood_ = 0;
  each_block(leaf, [&](const MatrixBlock& block) {
    claim(block);
    if (plan_->narrow()) return add_narrow(block);
    for (int64_t c = 0; c < k; ++c) add_claimed(block, c);
  });
  if (plan_->narrow()) total_narrow();
  log_likelihood_.add(leaf_log_likelihood_);
  if (leaf.weights == nullptr) {
    rows_ += leaf.rows;
  } else {
    weight_.add(lane_sum(leaf.weights, leaf.rows));
  }
  add_totals();
}

// claims_: for each component a line of kBlockRows, weight * responsibility.
void EmState::claim(const MatrixBlock& block) {
  if (plan_->density == nullptr) {
    (*plan_->claims)(block, claims_.data(), kBlockRows);
    if (block.weights == nullptr) return;
    for (int64_t c = 0; c < plan_->k; ++c) {
      for (int64_t r = 0; r < block.rows; ++r) claims_[static_cast<size_t>(c * kBlockRows + r)] *= block.weights[r];
    }
    return;
  }
  peak_.resize(kBlockRows);
  sum_.resize(kBlockRows);
  kernels::gaussian_logs(block.view(), *plan_->density, claims_.data(), kBlockRows, gaussian_);
  kernels::responsibilities(claims_.data(), block.rows, plan_->k, kBlockRows, block.weights, peak_.data(), sum_.data());
  std::array<double, kBlockRows> own;
  double* to = plan_->log_density == nullptr ? own.data() : plan_->log_density->at(block.first_row);
  leaf_log_likelihood_ += log_densities(block, peak_.data(), sum_.data(), to);
}

// Rows that component c does not claim change no sum, so where they are many they are left out.
void EmState::add_claimed(const MatrixBlock& block, int64_t c) {
  const int64_t d = plan_->d;
  const double* claims = claims_.data() + c * kBlockRows;
  kernels::RowsView rows = block.view();
  const int64_t claimed = block.rows - std::count(claims, claims + block.rows, 0.0);
  if (claimed == 0) return;
  weights_[static_cast<size_t>(c)] += lane_sum(claims, block.rows);
  if (4 * claimed < 3 * block.rows) {
    picked_.resize(static_cast<size_t>(kBlockRows * d));
    picked_claims_.resize(kBlockRows);
    int64_t at = 0;
    for (int64_t r = 0; r < block.rows; ++r) {
      if (claims[r] == 0) continue;
      const double* row = block.row(r, picked_.data() + at * d);
      if (block.dtype == DType::kF64) std::copy_n(row, d, picked_.data() + at * d);
      picked_claims_[static_cast<size_t>(at++)] = claims[r];
    }
    rows = {picked_.data(), true, claimed, d, d};
    claims = picked_claims_.data();
  }
  const double* about = plan_->about->row(c);
  double* first = first_.data() + c * d;
  double* second = second_.data() + (plan_->type == CovarianceType::kTied ? 0 : c) * plan_->seconds();
  if (plan_->dense()) {
    kernels::weighted_column_sums(rows, about, claims, first, nullptr);
    kernels::syrk_add_weighted(rows, about, claims, second, syrk_);
  } else {
    kernels::weighted_column_sums(rows, about, claims, first, second);
  }
}

// Few columns: all sums of a component in registers.
void EmState::add_narrow(const MatrixBlock& block) {
  columns_.resize(static_cast<size_t>(kBlockRows * plan_->d));
  kernels::to_columns(block.view(), columns_.data(), kBlockRows);
  for (int64_t c = 0; c < plan_->k; ++c) {
    kernels::narrow_moments(columns_.data(), kBlockRows, block.rows, plan_->d, plan_->about->row(c), claims_.data() + c * kBlockRows,
                            lanes_.data() + 8 * c * kernels::narrow_entries(plan_->d));
  }
}

void EmState::total_narrow() {
  const int64_t d = plan_->d;
  const double* lanes = lanes_.data();
  const auto next = [&] {
    const double total = kernels::narrow_total(lanes);
    lanes += 8;
    return total;
  };
  for (int64_t c = 0; c < plan_->k; ++c) {
    weights_[static_cast<size_t>(c)] = next();
    for (int64_t j = 0; j < d; ++j) first_[static_cast<size_t>(c * d + j)] = next();
    double* second = second_.data() + (plan_->type == CovarianceType::kTied ? 0 : c) * plan_->seconds();
    for (int64_t i = 0; i < d; ++i) {
      for (int64_t j = i; j < d; ++j) {
        const double total = next();
        if (plan_->dense()) {
          second[i * d + j] += total;
        } else if (i == j) {
          second[i] = total;
        }
      }
    }
  }
}

void EmState::add_totals() {
  const int64_t k = plan_->k, d = plan_->d;
  int64_t *high = high_.data(), *low = low_.data();
  const auto add = [&](const double* totals, double row_scale, const double* col_scale, int64_t count) {
    plan_->format.add(high, low, totals, row_scale, col_scale, count);
    high += count;
    low += count;
  };
  const double one = 1;
  for (int64_t c = 0; c < k; ++c) {
    add(weights_.data() + c, plan_->weight_scale, &one, 1);
    add(first_.data() + c * d, plan_->weight_scale, plan_->right.data(), d);
  }
  for (int64_t set = 0; set < plan_->second_sets(); ++set) {
    double* second = second_.data() + set * plan_->seconds();
    if (plan_->dense()) {
      for (int64_t i = 0; i < d; ++i) add(second + i * d + i, plan_->left[static_cast<size_t>(i)], plan_->right.data() + i, d - i);
    } else {
      for (int64_t j = 0; j < d; ++j) second[j] *= plan_->right[static_cast<size_t>(j)];
      add(second, plan_->weight_scale, plan_->right.data(), d);
    }
  }
  ++leaves_;
}

void EmState::merge(EmState&& other) {
  for (size_t i = 0; i < high_.size(); ++i) {
    high_[i] = LeafSumFormat::add_wrapping(high_[i], other.high_[i]);
    low_[i] = LeafSumFormat::add_wrapping(low_[i], other.low_[i]);
  }
  log_likelihood_.merge(other.log_likelihood_);
  weight_.merge(other.weight_);
  rows_ += other.rows_;
  leaves_ += other.leaves_;
}

void EmState::save(ByteWriter& out) const {
  out.put(rows_);
  out.put(leaves_);
  weight_.save(out);
  log_likelihood_.save(out);
  out.put_all(std::span<const int64_t>(high_));
  out.put_all(std::span<const int64_t>(low_));
}

void EmState::load(ByteReader& in) {
  rows_ = in.get<int64_t>();
  leaves_ = in.get<int64_t>();
  if (rows_ < 0 || leaves_ < 0) in.damaged("counts fewer than no rows");
  weight_.load(in);
  log_likelihood_.load(in);
  auto high = in.get_all<int64_t>();
  auto low = in.get_all<int64_t>();
  if (high.size() != high_.size() || low.size() != low_.size()) in.damaged("has another number of components");
  high_ = std::move(high);
  low_ = std::move(low);
}

int64_t EmState::bytes() const {
  return static_cast<int64_t>(8 * (high_.size() + low_.size() + weights_.size() + first_.size() + second_.size() + claims_.size()));
}

ClaimSums EmState::sums() const {
  const int64_t k = plan_->k, d = plan_->d;
  ClaimSums out{std::vector<double>(static_cast<size_t>(k)), Matrix<double>(k, d),
                Matrix<double>(plan_->dense() ? plan_->second_sets() * d : k, d)};
  size_t at = 0;
  const auto next = [&](double scale, double other) {  // divides by the two scales
    const double value = plan_->format.value(high_[at], low_[at], leaves_);
    ++at;
    return value / scale / other;
  };
  for (int64_t c = 0; c < k; ++c) {
    out.weight[static_cast<size_t>(c)] = next(plan_->weight_scale, 1);
    for (int64_t j = 0; j < d; ++j) out.first(c, j) = next(plan_->weight_scale, plan_->right[static_cast<size_t>(j)]);
  }
  for (int64_t set = 0; set < plan_->second_sets(); ++set) {
    for (int64_t i = 0; i < d; ++i) {
      const double left = plan_->left[static_cast<size_t>(i)];
      if (!plan_->dense()) {
        out.second(set, i) = next(left, plan_->right[static_cast<size_t>(i)]);
        continue;
      }
      for (int64_t j = i; j < d; ++j)
        out.second(set * d + i, j) = out.second(set * d + j, i) = next(left, plan_->right[static_cast<size_t>(j)]);
    }
  }
  return out;
}

ScoreState::ScoreState(const kernels::GaussianPlan& density, RowColumn<int32_t>& labels, RowColumn<double>& log_density,
                       double* responsibilities)
    : counts(static_cast<size_t>(density.components)),
      density_(&density),
      labels_(&labels),
      log_density_(&log_density),
      responsibilities_(responsibilities) {}

void ScoreState::accumulate(const MatrixBlock& leaf) {
  const int64_t k = density_->components;
  claims_.resize(static_cast<size_t>(k * kBlockRows));
  peak_.resize(kBlockRows);
  sum_.resize(kBlockRows);
  double total = 0;
  each_block(leaf, [&](const MatrixBlock& block) {
    kernels::gaussian_logs(block.view(), *density_, claims_.data(), kBlockRows, scratch_);
    int32_t* labels = labels_->at(block.first_row);
    std::fill_n(labels, block.rows, 0);
    std::copy_n(claims_.data(), block.rows, peak_.data());
    for (int64_t c = 1; c < k; ++c) {
      const double* line = claims_.data() + c * kBlockRows;
      for (int64_t r = 0; r < block.rows; ++r) {
        if (line[r] > peak_[static_cast<size_t>(r)]) peak_[static_cast<size_t>(r)] = line[r], labels[r] = static_cast<int32_t>(c);
      }
    }
    for (int64_t r = 0; r < block.rows; ++r) ++counts[static_cast<size_t>(labels[r])];
    kernels::responsibilities(claims_.data(), block.rows, k, kBlockRows, nullptr, peak_.data(), sum_.data());
    total += log_densities(block, peak_.data(), sum_.data(), log_density_->at(block.first_row));
    if (responsibilities_ == nullptr) return;
    double* to = responsibilities_ + (block.first_row - labels_->first_row()) * k;
    for (int64_t r = 0; r < block.rows; ++r) {
      for (int64_t c = 0; c < k; ++c) *to++ = claims_[static_cast<size_t>(c * kBlockRows + r)];
    }
  });
  log_likelihood.add(total);
  if (leaf.weights == nullptr) {
    rows += leaf.rows;
  } else {
    weight.add(lane_sum(leaf.weights, leaf.rows));
  }
}

void ScoreState::merge(ScoreState&& other) {
  log_likelihood.merge(other.log_likelihood);
  weight.merge(other.weight);
  rows += other.rows;
  for (size_t c = 0; c < counts.size(); ++c) counts[c] += other.counts[c];
}

void ScoreState::save(ByteWriter& out) const {
  log_likelihood.save(out);
  weight.save(out);
  out.put(rows);
  out.put_all(std::span<const int64_t>(counts));
}

void ScoreState::load(ByteReader& in) {
  log_likelihood.load(in);
  weight.load(in);
  rows = in.get<int64_t>();
  auto theirs = in.get_all<int64_t>();
  if (rows < 0 || theirs.size() != counts.size()) in.damaged("has another number of components");
  counts = std::move(theirs);
}

int64_t ScoreState::bytes() const {
  return static_cast<int64_t>(sizeof *this + 8 * (counts.size() + claims_.size()));
}

double em_bytes(CovarianceType type, int64_t k, int64_t d) {
  const bool dense = type == CovarianceType::kFull || type == CovarianceType::kTied;
  const double sets = type == CovarianceType::kTied ? 1 : static_cast<double>(k);
  const double square = dense ? static_cast<double>(d) * static_cast<double>(d) : static_cast<double>(d);
  return 16 * sets * square + static_cast<double>(k * (24 * d + 8 * kBlockRows + 1000)) + 8.0 * static_cast<double>(kBlockRows * d);
}

}  // namespace sluice::mixture

namespace sluice {

void gmm_log_density(const kernels::GaussianPlan& plan, const MatrixBlock& rows, double* out) {
  constexpr int64_t kRows = mixture::kBlockRows;
  std::vector<double> claims(static_cast<size_t>(plan.components * kRows)), peak(kRows), sum(kRows);
  kernels::GaussianScratch scratch;
  mixture::each_block(rows, [&](const MatrixBlock& block) {
    kernels::gaussian_logs(block.view(), plan, claims.data(), kRows, scratch);
    kernels::responsibilities(claims.data(), block.rows, plan.components, kRows, nullptr, peak.data(), sum.data());
    for (int64_t r = 0; r < block.rows; ++r) *out++ = peak[static_cast<size_t>(r)] + log64(sum[static_cast<size_t>(r)]);
  });
}

void gmm_log_density(const GmmModel& model, const MatrixBlock& rows, double* out) {
  gmm_log_density(gmm_plan(model), rows, out);
}

}  // namespace sluice
