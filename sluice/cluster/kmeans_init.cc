#include "sluice/cluster/kmeans_init.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>

#include "sluice/cluster/kmeans.h"
#include "sluice/cluster/potential.h"
#include "sluice/core/csr.h"
#include "sluice/core/math.h"
#include "sluice/kernels/assign.h"
#include "sluice/kernels/seed_update.h"

namespace sluice {
namespace {

// The draw of one trial: starts, centres and trials never share a stream.
Random trial_random(const Context& ctx, int64_t start, int64_t center, int64_t trial) {
  return Random(ctx.seed, RandomStage::kKMeansInit,
                (static_cast<uint64_t>(start) << 40) + static_cast<uint64_t>(center) * 16 + static_cast<uint64_t>(trial));
}

void set_row(Matrix<double>& matrix, int64_t i, const std::vector<double>& values) {
  std::copy(values.begin(), values.end(), matrix.row(i));
}

Matrix<double> rows_at(const Source& rows, const std::vector<int64_t>& numbers) {
  Matrix<double> out(static_cast<int64_t>(numbers.size()), rows.cols());
  for (size_t i = 0; i < numbers.size(); ++i) set_row(out, static_cast<int64_t>(i), read_row(rows, numbers[i]));
  return out;
}

// The rows that one round of k-means-parallel draws, in ascending order, the same on all ranks.
std::vector<int64_t> draw_round(const Potential& potential, const Source& rows, int64_t k, int64_t start, int64_t round, Context& ctx) {
  const double per_unit = 2.0 * static_cast<double>(k) / potential.total();
  std::vector<std::vector<int64_t>> drawn(static_cast<size_t>(ctx.threads));
  const auto stream = (static_cast<uint64_t>(start) * 8 + static_cast<uint64_t>(round)) << 44;
  const LeafRange range = leaf_range(rows.rows(), rows.cols(), ctx);
  std::vector<BlockBuffer> buffers(static_cast<size_t>(ctx.threads));
  for_each_leaf(range, ctx, [&](int worker, int64_t leaf) {
    const int64_t first = leaf * range.rows_per_leaf;
    const int64_t last = std::min(range.rows, first + range.rows_per_leaf);
    const double* weights = read_weights(rows, first, last - first, buffers[static_cast<size_t>(worker)]);
    for (int64_t i = first; i < last; ++i) {
      const double chance = potential.of(i) * (weights == nullptr ? 1.0 : weights[i - first]) * per_unit;
      if (Random(ctx.seed, RandomStage::kKMeansParallel, stream + static_cast<uint64_t>(i)).uniform() < chance)
        drawn[static_cast<size_t>(worker)].push_back(i);
    }
  });
  std::vector<int64_t> mine;
  for (const auto& part : drawn) mine.insert(mine.end(), part.begin(), part.end());
  if (ctx.ranks() > 1) {
    ByteWriter out;
    out.put_all(std::span<const int64_t>(mine));
    mine.clear();
    for (const Bytes& theirs : ctx.comm->all_gather(out.take())) {
      const auto part = ByteReader(theirs, "drawn rows").get_all<int64_t>();
      mine.insert(mine.end(), part.begin(), part.end());
    }
  }
  std::sort(mine.begin(), mine.end());
  return mine;
}

// How much weight is nearest to each candidate.
std::vector<double> weights_of(const Source& rows, const Matrix<double>& candidates, const Geometry& geometry, Context& ctx) {
  const LeafRange range = leaf_range(rows.rows(), rows.cols(), ctx);
  RowColumn<int32_t> labels(range, -1);
  const kernels::AssignPlan plan(geometry.metric, candidates.values.data(), candidates.rows, candidates.cols, geometry.shift.data(),
                                 geometry.scale_exponent, geometry.sparse);
  std::vector<int64_t> counts(static_cast<size_t>(candidates.rows));
  std::mutex mutex;
  map_with_scratch<kernels::AssignScratch>(rows, ctx, [&](int, const auto& leaf, auto& scratch) {
    int32_t* mine = labels.at(leaf.first_row);
    plan.assign(leaf.view(), mine, nullptr, scratch);
    // Weights enter in units of 2^-20: the starting weights need no more, and integers add in any order.
    const std::lock_guard lock(mutex);
    for (int64_t i = 0; i < leaf.rows; ++i) counts[static_cast<size_t>(mine[i])] += static_cast<int64_t>(leaf.weight(i) * 0x1p20);
  });
  if (ctx.ranks() > 1) ctx.comm->sum(counts);
  std::vector<double> out;
  for (const int64_t count : counts) out.push_back(static_cast<double>(count) * 0x1p-20);
  return out;
}

}  // namespace

void on_every_rank(Context& ctx, const std::function<void()>& work) {
  for_each_leaf({1, ctx.ranks(), ctx.rank(), ctx.rank() + 1, ctx.ranks()}, ctx, [&](int, int64_t) { work(); });
}

Matrix<double> init_plus_plus(const Source& rows, int64_t k, const Geometry& geometry, int64_t start, Context& ctx) {
  const int64_t trials = std::min<int64_t>(kernels::kMostCandidates, 2 + static_cast<int64_t>(log64(static_cast<double>(k))));
  Matrix<double> centers(k, rows.cols());
  Potential potential(rows, geometry, ctx);
  ctx.stage("k-means++", k);
  for (int64_t c = 0; c < k; ++c) {
    std::vector<int64_t> drawn;
    for (int64_t t = 0; t < (c == 0 || potential.zero() ? 1 : trials); ++t) {
      Random random = trial_random(ctx, start, c, t);
      drawn.push_back(potential.draw(random));
    }
    Matrix<double> candidates = rows_at(rows, drawn);
    size_t best = 0;
    if (drawn.size() > 1) {
      const auto totals = potential.with(candidates);
      best = static_cast<size_t>(std::min_element(totals.begin(), totals.end()) - totals.begin());
    }
    const auto chosen = static_cast<int64_t>(best);
    std::copy(candidates.row(chosen), candidates.row(chosen) + rows.cols(), centers.row(c));
    if (c + 1 < k) {
      Matrix<double> one(1, rows.cols());
      std::copy(centers.row(c), centers.row(c) + rows.cols(), one.row(0));
      potential.add(one);
    }
    ctx.step(c + 1);
  }
  return centers;
}

// Distinct rows in proportion to their weights; should the weights be so uneven that this does not end, the first rows not drawn yet.
Matrix<double> init_random_weighted(const Source& rows, int64_t k, const Geometry& geometry, int64_t start, Context& ctx) {
  const Potential potential(rows, geometry, ctx);
  std::set<int64_t> seen;
  std::vector<int64_t> chosen;
  const auto take = [&](int64_t row) {
    if (seen.insert(row).second) chosen.push_back(row);
  };
  const auto wanted = static_cast<size_t>(k);
  for (int64_t trial = 0; chosen.size() < wanted && trial < 64 * k; ++trial) {
    Random random = trial_random(ctx, start, trial, 15);
    take(potential.draw(random));
  }
  for (int64_t row = 0; chosen.size() < wanted; ++row) take(row);
  return rows_at(rows, chosen);
}

Matrix<double> init_random(const Source& rows, int64_t k, const Geometry& geometry, int64_t start, Context& ctx) {
  if (rows.max_weight() > 0) return init_random_weighted(rows, k, geometry, start, ctx);
  // The first k steps of a Fisher-Yates shuffle, of which only the touched places are kept.
  std::map<int64_t, int64_t> moved;
  const auto at = [&](int64_t i) {
    const auto found = moved.find(i);
    return found == moved.end() ? i : found->second;
  };
  std::vector<int64_t> chosen;
  for (int64_t i = 0; i < k; ++i) {
    Random random = trial_random(ctx, start, i, 15);
    const int64_t j = i + static_cast<int64_t>(random.below(static_cast<uint64_t>(rows.rows() - i)));
    const int64_t taken = at(j);
    moved[j] = at(i);
    chosen.push_back(taken);
  }
  return rows_at(rows, chosen);
}

Matrix<double> init_parallel(const Source& rows, int64_t k, const Geometry& geometry, int64_t start, Context& ctx) {
  constexpr int64_t kRounds = 5;
  Potential potential(rows, geometry, ctx);
  Random first = trial_random(ctx, start, 0, 0);
  std::vector<int64_t> chosen{potential.draw(first)};
  potential.add(rows_at(rows, chosen));
  ctx.stage("k-means-parallel", kRounds);
  for (int64_t round = 0; round < kRounds && !potential.zero(); ++round) {
    const std::vector<int64_t> drawn = draw_round(potential, rows, k, start, round, ctx);
    if (!drawn.empty()) potential.add(rows_at(rows, drawn));
    chosen.insert(chosen.end(), drawn.begin(), drawn.end());
    ctx.step(round + 1);
  }
  if (static_cast<int64_t>(chosen.size()) <= k) return init_plus_plus(rows, k, geometry, start, ctx);
  const Matrix<double> candidates = rows_at(rows, chosen);
  MemorySource weighted(candidates.values, candidates.rows, candidates.cols);
  weighted.set_weights(weights_of(rows, candidates, geometry, ctx));
  Context alone = ctx;  // every rank computes the same
  alone.comm = nullptr;
  alone.checkpoints = nullptr;
  weighted.stats = measure(weighted, alone);
  KMeansParams params;
  params.n_clusters = k;
  params.n_init = 1;
  params.max_iter = 20;
  params.metric = geometry.metric == kernels::Metric::kManhattan ? KMeansMetric::kManhattan
                  : geometry.metric == kernels::Metric::kCosine  ? KMeansMetric::kCosine
                                                                 : KMeansMetric::kEuclidean;
  Matrix<double> centers;
  on_every_rank(ctx, [&] { centers = kmeans_fit(weighted, params, {}, alone).cluster_centers; });
  return centers;
}

}  // namespace sluice
