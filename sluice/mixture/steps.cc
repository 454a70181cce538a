#include "sluice/mixture/steps.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <queue>
#include <utility>

#include "sluice/cluster/kmeans.h"
#include "sluice/core/moments.h"
#include "sluice/core/random.h"
#include "sluice/mixture/covariances.h"

namespace sluice::mixture {
namespace {

// Below this a component claims no row; scikit-learn adds as much to every weight.
constexpr double kNoWeight = 10 * 2.220446049250313e-16;

void normalise(std::vector<double>& weights) {
  double sum = 0;
  for (const double weight : weights) sum += weight;
  for (double& weight : weights) weight /= sum;
}

// sum / weight - shift shift^T of the columns i and j, about the new mean.
struct Central {
  const ClaimSums& sums;
  int64_t c, set;  // component, and its place among the second moments
  double at(int64_t i, int64_t j, bool dense) const {
    const double weight = sums.weight[static_cast<size_t>(c)];
    const double product = dense ? sums.second(set * sums.first.cols + i, j) : sums.second(set, i);
    const double value = product / weight - (sums.first(c, i) / weight) * (sums.first(c, j) / weight);
    return i == j ? std::max(value, 0.0) : value;
  }
};

// (sum over components of second moments - weight shift shift^T) / all weight.
void tied_covariance(const ClaimSums& sums, const Ridge& ridge, Matrix<double>& to) {
  const int64_t d = to.cols;
  double all = 0;
  for (const double weight : sums.weight) all += weight;
  for (int64_t i = 0; i < d; ++i) {
    for (int64_t j = i; j < d; ++j) {
      double value = sums.second(i, j);
      for (size_t c = 0; c < sums.weight.size(); ++c) {
        const auto row = static_cast<int64_t>(c);
        if (sums.weight[c] > kNoWeight) value -= sums.first(row, i) * (sums.first(row, j) / sums.weight[c]);
      }
      value /= all;
      if (i == j) value = std::max(value, 0.0) + ridge.added[static_cast<size_t>(i)];
      to(i, j) = to(j, i) = value;
    }
  }
}

void own_covariance(const ClaimSums& sums, int64_t c, const Ridge& ridge, GmmModel& model) {
  const int64_t d = model.means.cols;
  const Central central{sums, c, c};
  const auto variance = [&](int64_t j, bool dense) { return central.at(j, j, dense) + ridge.added[static_cast<size_t>(j)]; };
  switch (model.covariance_type) {
    case CovarianceType::kFull:
      for (int64_t i = 0; i < d; ++i) {
        model.covariances(c * d + i, i) = variance(i, true);
        for (int64_t j = i + 1; j < d; ++j) model.covariances(c * d + i, j) = model.covariances(c * d + j, i) = central.at(i, j, true);
      }
      return;
    case CovarianceType::kDiag:
      for (int64_t j = 0; j < d; ++j) model.covariances(c, j) = variance(j, false);
      return;
    case CovarianceType::kSpherical: {
      double sum = 0;
      for (int64_t j = 0; j < d; ++j) sum += variance(j, false);
      model.covariances(c, 0) = sum / static_cast<double>(d);
      return;
    }
    default:
      return;
  }
}

void resize(GmmModel& model, int64_t k, int64_t d) {
  const Shape shape = shape_of(model.covariance_type, k, d);
  model.weights.assign(static_cast<size_t>(k), 0.0);
  model.means = Matrix<double>(k, d);
  model.covariances = Matrix<double>(shape.rows, shape.cols);
  model.precisions_cholesky = Matrix<double>(shape.rows, shape.cols);
}

// The first groups as labels and the points they gather about.
KMeansFit groups(const Source& rows, const GmmParams& params, const Matrix<double>& means, int64_t k, int64_t start, Context& ctx) {
  Context quiet = ctx;
  quiet.checkpoints = nullptr;
  quiet.progress = nullptr;
  KMeansFit fit;
  if (!means.empty()) {
    fit.labels = kmeans_assign(means, KMeansMetric::kEuclidean, rows, quiet).labels;
    fit.cluster_centers = means;
    return fit;
  }
  if (start > 0) quiet.seed = Random(ctx.seed, RandomStage::kMixtureInit, static_cast<uint64_t>(start)).bits();
  KMeansParams by;
  by.n_clusters = k;
  by.n_init = 1;
  if (params.init_params != GmmInit::kKMeans) by.max_iter = 1;
  if (params.init_params == GmmInit::kRandomFromData) by.init = "random";
  return kmeans_fit(rows, by, {}, quiet);
}

Claims random_claims(int64_t k, int64_t start, uint64_t seed) {
  return [=](const MatrixBlock& rows, double* to, int64_t stride) {
    for (int64_t r = 0; r < rows.rows; ++r) {
      Random random(seed, RandomStage::kMixtureInit, (static_cast<uint64_t>(start) << 44) + static_cast<uint64_t>(rows.first_row + r));
      double sum = 0;
      for (int64_t c = 0; c < k; ++c) sum += to[c * stride + r] = random.uniform() + 0x1p-54;  // never all zero
      for (int64_t c = 0; c < k; ++c) to[c * stride + r] /= sum;
    }
  };
}

Claims label_claims(const RowColumn<int32_t>& labels, int64_t k) {
  return [&labels, k](const MatrixBlock& rows, double* to, int64_t stride) {
    for (int64_t c = 0; c < k; ++c) {
      for (int64_t r = 0; r < rows.rows; ++r) to[c * stride + r] = labels[rows.first_row + r] == c ? 1 : 0;
    }
  };
}

ClaimSums sums_about(const Source& rows, const GmmModel& model, const Claims& claims, const Matrix<double>& about, Context& ctx) {
  EmPlan plan(rows, model.covariance_type, about, ctx);
  plan.claims = &claims;
  return fold(rows, [&] { return EmState(plan); }, ctx).sums();
}

void take_given(const GmmStart& given, GmmModel& model) {
  if (!given.weights.empty()) model.weights = given.weights;
  if (!given.means.empty()) model.means = given.means;
  if (given.precisions.empty()) return;
  const int64_t d = model.means.cols;
  model.covariances = {};
  const bool dense = model.covariance_type == CovarianceType::kFull || model.covariance_type == CovarianceType::kTied;
  for (int64_t first = 0; dense && first < given.precisions.rows; first += d) {
    if (!factor_of_precision(given.precisions.row(first), d, model.precisions_cholesky.row(first))) {
      fail(ErrorCode::kBadInput, "precisions_init", "matrix " + to_text(first / d + 1) + " is not positive definite",
           "give inverse covariances");
    }
  }
  for (size_t i = 0; !dense && i < given.precisions.values.size(); ++i)
    model.precisions_cholesky.values[i] = std::sqrt(given.precisions.values[i]);
}

}  // namespace

Ridge ridge_of(const Source& rows, const GmmParams& params, Context& ctx) {
  Ridge ridge;
  ridge.variances = moments(rows, ctx).variance;
  double sum = 0;
  std::string without;
  for (size_t j = 0; j < ridge.variances.size(); ++j) {
    const ColumnStatistics& stats = rows.stats.columns[j];
    double& variance = ridge.variances[j];
    if (stats.min == stats.max) variance = 0;
    ridge.added.push_back(params.reg_covar + params.reg_covar_relative * variance);
    variance += ridge.added.back();
    sum += variance;
    if (variance == 0 && without.empty()) without = rows.name_of(static_cast<int64_t>(j));
  }
  if (!without.empty() && (params.covariance_type != CovarianceType::kSpherical || sum == 0)) {
    fail(ErrorCode::kNumerical, "column " + without, "it is constant, so no density exists without a ridge",
         "give --reg-covar above 0, or leave the column out");
  }
  return ridge;
}

bool too_far(const ClaimSums& sums, const Ridge& ridge, CovarianceType type) {
  // second / weight carries an error of some units in its last place; what is left after taking shift^2 away must stand well above it.
  static constexpr double kUnits = 0x1p-50, kTolerated = 1e-10;
  const int64_t d = sums.first.cols;
  const bool dense = type == CovarianceType::kFull || type == CovarianceType::kTied;
  double all = 0;
  for (const double weight : sums.weight) all += weight;
  for (size_t c = 0; c < sums.weight.size(); ++c) {
    if (!(sums.weight[c] > kNoWeight)) continue;
    const auto row = static_cast<int64_t>(c);
    for (int64_t j = 0; j < d; ++j) {
      const double shift = sums.first(row, j) / sums.weight[c];
      const double square = type == CovarianceType::kTied ? sums.second(j, j) / all
                            : dense                       ? sums.second(row * d + j, j) / sums.weight[c]
                                                          : sums.second(row, j) / sums.weight[c];
      const double left = std::max(0.0, square - (type == CovarianceType::kTied ? sums.weight[c] / all : 1) * shift * shift);
      if (square * kUnits > kTolerated * (left + ridge.added[static_cast<size_t>(j)])) return true;
    }
  }
  return false;
}

Matrix<double> means_of(const ClaimSums& sums, const Matrix<double>& about) {
  Matrix<double> means = about;
  for (int64_t c = 0; c < means.rows; ++c) {
    const double weight = sums.weight[static_cast<size_t>(c)];
    for (int64_t j = 0; j < means.cols && weight > kNoWeight; ++j) means(c, j) += sums.first(c, j) / weight;
  }
  return means;
}

std::vector<int64_t> maximise(const ClaimSums& sums, const Matrix<double>& about, const Ridge& ridge, GmmModel& model) {
  const int64_t k = about.rows;
  resize(model, k, about.cols);
  model.means = means_of(sums, about);
  std::vector<int64_t> shapeless;
  if (model.covariance_type == CovarianceType::kTied) {
    tied_covariance(sums, ridge, model.covariances);
    if (!set_factor(model, 0)) {
      fail(ErrorCode::kNumerical, "covariance", "the components' common covariance is singular",
           "raise --reg-covar or --reg-covar-relative, or use --covariance-type diag");
    }
  }
  for (int64_t c = 0; c < k; ++c) {
    const double weight = sums.weight[static_cast<size_t>(c)];
    const bool claimed = weight > kNoWeight;
    model.weights[static_cast<size_t>(c)] = claimed ? weight : 0;
    if (claimed) own_covariance(sums, c, ridge, model);
    if (!claimed || !set_factor(model, c)) shapeless.push_back(c);
  }
  normalise(model.weights);
  return shapeless;
}

void start_again(GmmModel& model, int64_t c, const double* mean, const Ridge& ridge) {
  std::copy_n(mean, model.means.cols, model.means.row(c));
  set_diagonal(model, c, ridge.variances);
  set_factor(model, c);
  const double share = 1 / static_cast<double>(model.weights.size());
  double& mine = model.weights[static_cast<size_t>(c)];
  double others = 0;
  mine = 0;
  for (const double weight : model.weights) others += weight;
  for (double& weight : model.weights) weight *= (1 - share) / (others > 0 ? others : 1);
  mine = share;
  normalise(model.weights);
}

std::vector<int64_t> worst_rows(const Source& rows, const RowColumn<double>& log_density, int64_t most, Context& ctx) {
  struct Row {
    double density;
    int64_t row;
    bool operator<(const Row& other) const { return std::pair(density, row) < std::pair(other.density, other.row); }
  };
  const size_t asked = static_cast<size_t>(most) + 64;  // some may be equal
  std::priority_queue<Row> lowest;
  for (int64_t row = log_density.first_row(); row < log_density.last_row(); ++row) {
    lowest.push({log_density[row], row});
    if (lowest.size() > asked) lowest.pop();
  }
  std::vector<Row> all;
  for (; !lowest.empty(); lowest.pop()) all.push_back(lowest.top());
  if (ctx.ranks() > 1) {
    const auto parts = ctx.comm->all_gather(std::as_bytes(std::span<const Row>(all)));
    all.clear();
    for (const Bytes& part : parts) {
      const size_t at = all.size();
      all.resize(at + part.size() / sizeof(Row));
      if (!part.empty()) std::memcpy(all.data() + at, part.data(), part.size());
    }
  }
  std::sort(all.begin(), all.end());
  std::vector<int64_t> out, equal;
  std::vector<std::vector<double>> taken;
  for (size_t i = 0; i < std::min(asked, all.size()) && static_cast<int64_t>(out.size()) < most; ++i) {
    std::vector<double> values = read_row(rows, all[i].row);
    if (std::find(taken.begin(), taken.end(), values) != taken.end()) {
      equal.push_back(all[i].row);
      continue;
    }
    taken.push_back(std::move(values));
    out.push_back(all[i].row);
  }
  for (size_t i = 0; i < equal.size() && static_cast<int64_t>(out.size()) < most; ++i) out.push_back(equal[i]);
  return out;
}

GmmModel first_model(const Source& rows, const GmmParams& params, const GmmStart& given, int64_t k, int64_t start, const Ridge& ridge,
                     int64_t& shapeless, Context& ctx) {
  GmmModel model;
  model.covariance_type = params.covariance_type;
  if (!given.weights.empty() && !given.means.empty() && !given.precisions.empty()) {
    resize(model, k, rows.cols());
    take_given(given, model);
    return model;
  }
  KMeansFit fit;
  Claims claims;
  Matrix<double> about;
  if (params.init_params == GmmInit::kRandom && given.means.empty()) {
    claims = random_claims(k, start, ctx.seed);
    about = Matrix<double>(k, rows.cols());
    const std::vector<double> means = column_means(rows, ctx);
    for (int64_t c = 0; c < k; ++c) std::copy(means.begin(), means.end(), about.row(c));
  } else {
    fit = groups(rows, params, given.means, k, start, ctx);
    claims = label_claims(fit.labels, k);
    about = std::move(fit.cluster_centers);
  }
  ClaimSums sums = sums_about(rows, model, claims, about, ctx);
  if (too_far(sums, ridge, model.covariance_type)) {
    about = means_of(sums, about);
    sums = sums_about(rows, model, claims, about, ctx);
  }
  const std::vector<int64_t> without = maximise(sums, about, ridge, model);
  for (const int64_t c : without)
    start_again(model, c, std::vector<double>(model.means.row(c), model.means.row(c) + rows.cols()).data(), ridge);
  shapeless += static_cast<int64_t>(without.size());
  take_given(given, model);
  return model;
}

}  // namespace sluice::mixture
