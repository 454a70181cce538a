#include "sluice/cluster/structure.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "sluice/cluster/kmeans.h"
#include "sluice/core/exact_sum.h"
#include "sluice/core/math.h"
#include "sluice/core/random.h"
#include "sluice/kernels/dist64.h"

namespace sluice {
namespace {

constexpr double kLeastDeviation = 1e-6;  // of a log: what repeated rows leave where every reference is partitioned exactly

double total_squares(const Matrix<double>& rows) {
  std::vector<double> mean(static_cast<size_t>(rows.cols));
  for (int64_t j = 0; j < rows.cols; ++j) {
    ExactSum sum;
    for (int64_t i = 0; i < rows.rows; ++i) sum.add(rows(i, j));
    mean[static_cast<size_t>(j)] = sum.value() / static_cast<double>(rows.rows);
  }
  ExactSum squares;
  for (int64_t i = 0; i < rows.rows; ++i) squares.add(kernels::squared_distance(rows.row(i), mean.data(), rows.cols));
  return squares.value();
}

// Runs task(i, out) for i < tasks, each filling its `width` values, over threads and ranks.
std::vector<std::vector<double>> spread(int64_t tasks, int64_t width, Context& ctx,
                                        const std::function<std::vector<double>(int64_t)>& task) {
  LeafRange range;
  range.rows = range.leaves = tasks;
  range.rows_per_leaf = 1;
  range.first = tasks * ctx.rank() / ctx.ranks();
  range.last = tasks * (ctx.rank() + 1) / ctx.ranks();
  std::vector<int64_t> bits(static_cast<size_t>(tasks * width));  // of the values; 0 where another rank works, so that they add up
  for_each_leaf(range, ctx, [&](int, int64_t i) {
    const std::vector<double> values = task(i);
    for (int64_t j = 0; j < width; ++j) bits[static_cast<size_t>(i * width + j)] = std::bit_cast<int64_t>(values[static_cast<size_t>(j)]);
  });
  if (ctx.ranks() > 1) ctx.comm->sum(bits);
  std::vector<std::vector<double>> out(static_cast<size_t>(tasks));
  for (int64_t i = 0; i < tasks; ++i) {
    for (int64_t j = 0; j < width; ++j)
      out[static_cast<size_t>(i)].push_back(std::bit_cast<double>(bits[static_cast<size_t>(i * width + j)]));
  }
  return out;
}

struct Spread {
  double mean = 0;
  double deviation = 0;
};
Spread spread_of(const std::vector<double>& values) {
  Spread out;
  for (const double x : values) out.mean += x / static_cast<double>(values.size());
  double squares = 0;
  for (const double x : values) squares += (x - out.mean) * (x - out.mean);
  out.deviation = values.size() < 2 ? 0 : std::sqrt(squares / static_cast<double>(values.size() - 1));
  return out;
}

// The largest z of `curve` against `others`, leaving out number `without` of them; curves begin at what they are measured from.
double largest_z(const std::vector<double>& curve, const std::vector<std::vector<double>>& others, size_t without) {
  double most = -1e300;
  for (size_t k = 1; k < curve.size(); ++k) {
    std::vector<double> drops;
    for (size_t b = 0; b < others.size(); ++b) {
      if (b != without) drops.push_back(others[b][0] - others[b][k]);
    }
    const Spread null = spread_of(drops);
    most = std::max(most, (curve[0] - curve[k] - null.mean) / std::max(kLeastDeviation, null.deviation));
  }
  return most;
}

NullVerdict verdict_of(NullKind kind, const std::vector<double>& curve, const std::vector<std::vector<double>>& references) {
  NullVerdict out;
  out.kind = kind;
  out.references = static_cast<int64_t>(references.size());
  std::vector<double> without_structure;
  for (size_t b = 0; b < references.size(); ++b) without_structure.push_back(largest_z(references[b], references, b));
  const Spread usual = spread_of(without_structure);
  out.excess = (largest_z(curve, references, references.size()) - usual.mean) / std::max(0.1, usual.deviation);
  for (size_t k = 0; k < curve.size(); ++k) {
    std::vector<double> at;
    for (const auto& reference : references) at.push_back(reference[k]);
    const Spread s = spread_of(at);
    out.mean.push_back(s.mean);
    out.deviation.push_back(s.deviation);
  }
  return out;
}

uint64_t seed_of(const Context& ctx, uint64_t index) {
  return Random(ctx.seed, RandomStage::kNullReference, (uint64_t{1} << 40) + index).bits();
}

// One Gaussian for each cluster, of its size, mean and covariance. A Gaussian combination of a cluster's own centred rows has
// exactly their covariance, and needs no factor of it: sum_i g_i (x_i - mean) / sqrt(size - 1).
Matrix<double> gaussian_clusters(const Matrix<double>& rows, const std::vector<int32_t>& labels, int64_t k, uint64_t seed) {
  Matrix<double> out(rows.rows, rows.cols);
  Random random(seed, RandomStage::kNullReference, 0);
  for (int64_t c = 0; c < k; ++c) {
    std::vector<int64_t> members;
    for (int64_t i = 0; i < rows.rows; ++i) {
      if (labels[static_cast<size_t>(i)] == c) members.push_back(i);
    }
    if (members.empty()) continue;
    Matrix<double> cluster(static_cast<int64_t>(members.size()), rows.cols);
    for (size_t i = 0; i < members.size(); ++i)
      std::copy(rows.row(members[i]), rows.row(members[i]) + rows.cols, cluster.row(static_cast<int64_t>(i)));
    const PrincipalAxes p = principal_axes(cluster, rows.cols);
    for (const int64_t member : members) {
      double* row = out.row(member);
      std::copy(p.mean.begin(), p.mean.end(), row);
      for (int64_t a = 0; a < p.axes.rows && members.size() > 1; ++a) {
        const double along = std::sqrt(p.variance[static_cast<size_t>(a)]) * random.normal();
        for (int64_t j = 0; j < rows.cols; ++j) row[j] = std::fma(along, p.axes(a, j), row[j]);
      }
    }
  }
  return out;
}

}  // namespace

std::vector<double> log_wcss(const Matrix<double>& rows, const std::vector<int64_t>& ks, int64_t starts, uint64_t seed,
                             const Context& ctx) {
  const double total = total_squares(rows);
  const double least = total > 0 ? log64(total * 1e-12) : 0;
  Context alone;
  alone.seed = seed;
  alone.stop = ctx.stop;
  MemorySource source(DType::kF64, rows.values.data(), rows.rows, rows.cols, rows.cols, nullptr);
  source.stats = measure(source, alone);
  std::vector<double> out;
  for (const int64_t k : ks) {
    if (k >= rows.rows || total == 0) {
      out.push_back(least);
      continue;
    }
    double squares = total;
    if (k > 1) {
      KMeansParams params;
      params.n_clusters = k;
      params.n_init = starts;
      params.max_iter = 100;
      params.tol = 1e-3;
      squares = kmeans_fit(source, params, {}, alone).inertia;
    }
    out.push_back(squares > 0 ? std::max(least, log64(squares)) : least);
  }
  return out;
}

StructureTest structure_test(const Matrix<double>& rows, int64_t k_max, int64_t references, double level, Context& ctx) {
  StructureTest out;
  for (int64_t k = 1; k <= k_max; ++k) out.k.push_back(k);
  // Gumbel's quantile in deviations above the mean.
  out.limit = (-log64(-log64(1 - level)) - 0.57721566490153286) * 0.77969680123368;
  out.log_wcss = log_wcss(rows, out.k, 1, ctx.seed, ctx);
  if (k_max < 2 || out.log_wcss[0] == 0) return out;
  const NullModel model = null_model(rows);
  std::vector<std::vector<std::vector<double>>> curves(kNullKinds);
  const auto extend = [&](int64_t to) {
    const auto have = static_cast<int64_t>(curves[0].size());
    const int64_t more = to - have;
    const auto drawn = spread(kNullKinds * more, k_max, ctx, [&](int64_t i) {
      const auto number = static_cast<uint64_t>(have + i % more);
      const auto kind = static_cast<NullKind>(i / more);
      return log_wcss(draw_null(model, kind, rows.rows, ctx.seed, number), out.k, 1,
                      seed_of(ctx, number * kNullKinds + static_cast<uint64_t>(kind)), ctx);
    });
    out.nulls.clear();
    out.decisive = 0;
    for (int kind = 0; kind < kNullKinds; ++kind) {
      auto& of_kind = curves[static_cast<size_t>(kind)];
      of_kind.insert(of_kind.end(), drawn.begin() + kind * more, drawn.begin() + (kind + 1) * more);
      out.nulls.push_back(verdict_of(static_cast<NullKind>(kind), out.log_wcss, of_kind));
      if (out.nulls.back().excess < out.nulls[out.decisive].excess) out.decisive = static_cast<size_t>(kind);
    }
  };
  extend(references);
  const double first = out.nulls[out.decisive].excess;
  if (first > 0 && first < 3 * out.limit) extend(2 * references);
  out.structured = out.nulls[out.decisive].excess > out.limit;
  return out;
}

double split_excess(const Matrix<double>& rows, const std::vector<int32_t>& labels, int64_t k, const std::vector<int64_t>& beyond,
                    const std::vector<double>& curve, int64_t references, int64_t starts, Context& ctx) {
  std::vector<int64_t> ks{k};
  ks.insert(ks.end(), beyond.begin(), beyond.end());
  const auto curves = spread(references, static_cast<int64_t>(ks.size()), ctx, [&](int64_t i) {
    const uint64_t seed = seed_of(ctx, (static_cast<uint64_t>(k) << 20) + static_cast<uint64_t>(i) + (uint64_t{1} << 32));
    return log_wcss(gaussian_clusters(rows, labels, k, seed), ks, starts, seed, ctx);
  });
  return largest_z(curve, curves, curves.size());
}

}  // namespace sluice
