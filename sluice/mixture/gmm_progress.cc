#include "sluice/mixture/gmm_progress.h"

#include <algorithm>
#include <cmath>

#include "sluice/mixture/covariances.h"

namespace sluice::mixture {
namespace {

void put(ByteWriter& out, const Reached& reached) {
  out.put(reached.model.means.rows);
  out.put_all(std::span<const double>(reached.model.weights));
  out.put_all(std::span<const double>(reached.model.means.values));
  out.put_all(std::span<const double>(reached.model.covariances.values));
  out.put_all(std::span<const double>(reached.model.precisions_cholesky.values));
  out.put(reached.bound);
  out.put(reached.compared);
  out.put(reached.n_iter);
  out.put(reached.restarted);
  out.put(reached.converged);
}

Matrix<double> matrix(ByteReader& in, Shape shape, bool may_lack) {
  Matrix<double> out;
  out.values = in.get_all<double>();
  if (out.values.empty() && may_lack) return out;
  const auto size = static_cast<int64_t>(out.values.size());
  if (size % std::max<int64_t>(1, shape.cols) != 0 || size / std::max<int64_t>(1, shape.cols) != shape.rows)
    in.damaged("holds other components");
  if (!std::ranges::all_of(out.values, [](double x) { return std::isfinite(x); })) in.damaged("holds no numbers");
  out.rows = shape.rows, out.cols = shape.cols;
  return out;
}

Reached get(ByteReader& in, CovarianceType type, int64_t most, int64_t max_iter, int64_t d) {
  Reached out;
  const auto k = in.get<int64_t>();
  if (k < 0 || k > most) in.damaged("holds another number of components");
  const Shape shape = k == 0 ? Shape{} : shape_of(type, k, d);
  out.model.covariance_type = type;
  out.model.weights = matrix(in, {k, k == 0 ? 0 : 1}, k == 0).values;
  out.model.means = matrix(in, {k, k == 0 ? 0 : d}, k == 0);
  out.model.covariances = matrix(in, shape, true);
  out.model.precisions_cholesky = matrix(in, shape, k == 0);
  if (!std::ranges::all_of(out.model.weights, [](double x) { return x >= 0 && x <= 1.000001; })) in.damaged("holds weights that are none");
  out.bound = in.get<double>();
  out.compared = in.get<double>();
  out.n_iter = in.get<int64_t>();
  out.restarted = in.get<int64_t>();
  const auto converged = in.get<uint8_t>();
  if (converged > 1 || std::isnan(out.bound) || std::isnan(out.compared) || out.n_iter < 0 || out.n_iter > max_iter || out.restarted < 0)
    in.damaged("holds a progress that can't be");
  out.converged = converged == 1;
  return out;
}

}  // namespace

Bytes Progressed::save() const {
  ByteWriter out;
  out.put(k);
  out.put(start);
  for (const Reached* one : {&now, &best_start, &best}) put(out, *one);
  out.put_all(std::span<const double>(bics));
  out.put_all(std::span<const double>(aics));
  return out.take();
}

void Progressed::load(const Bytes& bytes, CovarianceType type, int64_t first_k, int64_t last_k,
                      const std::function<int64_t(int64_t k)>& starts_of, int64_t max_iter, int64_t d) {
  ByteReader in(bytes, "checkpoint");
  k = in.get<int64_t>();
  start = in.get<int64_t>();
  for (Reached* one : {&now, &best_start, &best}) *one = get(in, type, last_k, max_iter, d);
  bics = in.get_all<double>();
  aics = in.get_all<double>();
  in.expect_end();
  if (k < first_k || k > last_k + 1) in.damaged("holds a progress that can't be");
  const bool ended = k == last_k + 1;
  const int64_t starts = ended ? 0 : starts_of(k);
  const auto done = static_cast<size_t>(std::max<int64_t>(0, k - first_k));
  if (start < 0 || start > starts || bics.size() != done || aics.size() != done || (best.begun() && done == 0) ||
      (best_start.begun() && start == 0) || (now.begun() && (ended || now.model.means.rows != k)) ||
      (best_start.begun() && best_start.model.means.rows != k) || ((ended || start == starts) && now.begun()) || (ended && start > 0))
    in.damaged("holds a progress that can't be");
  if (!std::ranges::all_of(bics, [](double x) { return x > -std::numeric_limits<double>::infinity(); })) in.damaged("holds no numbers");
}

}  // namespace sluice::mixture
