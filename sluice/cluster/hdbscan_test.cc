#include "sluice/cluster/hdbscan.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "sluice/cluster/hdbscan_parts.h"
#include "sluice/cluster/testing.h"
#include "sluice/comm/thread_ranks.h"
#include "sluice/kernels/dist64.h"

namespace sluice {
namespace {

using detail::ReachEdge;
using detail::ReachTask;
using detail::SpanningTree;
using testing::blobs;
using testing::table;

std::vector<std::vector<double>> raw_distances(const ReachTask& task) {
  const auto n = static_cast<size_t>(task.rows().rows());
  std::vector<std::vector<double>> out(n, std::vector<double>(n));
  for (size_t i = 0; i < n; ++i) {
    const auto a = read_row(task.rows(), static_cast<int64_t>(i));
    for (size_t j = 0; j < n; ++j) {
      const auto b = read_row(task.rows(), static_cast<int64_t>(j));
      out[i][j] = kernels::distance64(task.metric(), a.data(), b.data(), task.rows().cols());
    }
  }
  return out;
}

// Prim's method over the full matrix, as one would write it down.
SpanningTree plain_spanning(const ReachTask& task) {
  const auto distance = raw_distances(task);
  const size_t n = distance.size();
  SpanningTree out;
  for (const auto& row : distance) {
    std::vector<double> sorted = row;
    std::sort(sorted.begin(), sorted.end());
    out.core.push_back(sorted[static_cast<size_t>(task.min_samples() - 1)]);
  }
  std::vector<ReachEdge> best(n);
  std::vector<bool> in(n);
  size_t at = 0;
  for (size_t step = 1; step < n; ++step) {
    in[at] = true;
    size_t next = n;
    for (size_t j = 0; j < n; ++j) {
      if (in[j]) continue;
      const ReachEdge edge{task.reach(out.core[at], out.core[j], distance[at][j]), distance[at][j], static_cast<int64_t>(std::min(at, j)),
                           static_cast<int64_t>(std::max(at, j))};
      if (before(edge, best[j])) best[j] = edge;
      if (next == n || before(best[j], best[next])) next = j;
    }
    out.edges.push_back(best[next]);
    at = next;
  }
  std::sort(out.edges.begin(), out.edges.end(), detail::before);
  return out;
}

void expect_same(const SpanningTree& a, const SpanningTree& b) {
  EXPECT_EQ(a.core, b.core);
  ASSERT_EQ(a.edges.size(), b.edges.size());
  for (size_t i = 0; i < a.edges.size(); ++i) {
    const ReachEdge &x = a.edges[i], &y = b.edges[i];
    ASSERT_TRUE(x.reach == y.reach && x.distance == y.distance && x.low == y.low && x.high == y.high)
        << i << ": " << x.reach << " " << x.low << "-" << x.high << " and " << y.reach << " " << y.low << "-" << y.high;
  }
}

// A cluster as a set of rows, split by what the edges say: the definition, set by set. Only for trees without equal reaches.
struct PlainCluster {
  std::vector<int64_t> rows;
  double birth = 0;
  double stability = 0;
  std::vector<size_t> children;
};
void plain_split(const SpanningTree& spanning, const ReachTask& task, int64_t least, std::vector<PlainCluster>& all, size_t number,
                 std::vector<int64_t> rows) {
  const std::set<int64_t> in(rows.begin(), rows.end());
  std::vector<ReachEdge> edges;
  for (const ReachEdge& edge : spanning.edges) {
    if (in.contains(edge.low) && in.contains(edge.high)) edges.push_back(edge);
  }
  if (edges.empty()) return;
  const double lambda = 1 / task.published(edges.back().reach);
  edges.pop_back();
  detail::Sets sets(task.rows().rows());
  for (const ReachEdge& edge : edges) sets.unite(edge.low, edge.high);
  std::vector<int64_t> one, other;
  for (const int64_t row : rows) (sets.find(row) == sets.find(rows[0]) ? one : other).push_back(row);
  const auto size = [](const std::vector<int64_t>& part) { return static_cast<int64_t>(part.size()); };
  const bool splits = size(one) >= least && size(other) >= least;
  for (auto* part : {&one, &other}) {
    const bool leaves = splits || size(*part) < least;
    if (leaves) all[number].stability += (lambda - all[number].birth) * static_cast<double>(part->size());
    if (splits) {
      all.push_back({*part, lambda, 0, {}});
      all[number].children.push_back(all.size() - 1);
      plain_split(spanning, task, least, all, all.size() - 1, *part);
    } else if (!leaves) {
      plain_split(spanning, task, least, all, number, *part);
    }
  }
}
// Excess of mass by recursion: the value of the best choice at and below a cluster.
double plain_choose(const std::vector<PlainCluster>& all, size_t number, std::vector<size_t>& chosen) {
  std::vector<size_t> below;
  double sum = 0;
  for (const size_t child : all[number].children) sum += plain_choose(all, child, below);
  if (number == 0 || sum > all[number].stability) {
    chosen.insert(chosen.end(), below.begin(), below.end());
    return sum;
  }
  chosen.push_back(number);
  return all[number].stability;
}
std::vector<int32_t> plain_labels(const ReachTask& task, int64_t least) {
  const SpanningTree spanning = plain_spanning(task);
  std::vector<int64_t> rows(spanning.core.size());
  std::iota(rows.begin(), rows.end(), 0);
  std::vector<PlainCluster> all = {{rows, 0, 0, {}}};
  plain_split(spanning, task, least, all, 0, rows);
  std::vector<size_t> chosen;
  plain_choose(all, 0, chosen);
  std::sort(chosen.begin(), chosen.end(), [&](size_t a, size_t b) {
    return *std::min_element(all[a].rows.begin(), all[a].rows.end()) < *std::min_element(all[b].rows.begin(), all[b].rows.end());
  });
  std::vector<int32_t> labels(rows.size(), -1);
  for (size_t c = 0; c < chosen.size(); ++c) {
    for (const int64_t row : all[chosen[c]].rows) labels[static_cast<size_t>(row)] = static_cast<int32_t>(c);
  }
  return labels;
}

std::unique_ptr<MemorySource> grid(int64_t side) {
  std::vector<double> values;
  for (int64_t i = 0; i < side * side; ++i) values.insert(values.end(), {static_cast<double>(i % side), static_cast<double>(i / side)});
  return table(values, side * side, 2);
}
std::unique_ptr<MemorySource> rounded(const MemorySource& rows) {
  std::vector<double> values;
  for (int64_t i = 0; i < rows.rows(); ++i) {
    for (const double x : read_row(rows, i)) values.push_back(std::round(x));
  }
  return table(values, rows.rows(), rows.cols());
}

TEST(Hdbscan, TreeAndPairsFindTheSpanningTreeOfThePlainLoop) {
  Context ctx;
  ctx.threads = 2;
  std::vector<std::unique_ptr<MemorySource>> sets;
  sets.push_back(blobs(600, 2, 5, 1));
  sets.push_back(blobs(300, 7, 3, 1, 2, 1e6));
  sets.push_back(blobs(250, 30, 4, 2));
  sets.push_back(rounded(*blobs(500, 2, 3, 1)));  // most rows have duplicates, most distances are equal
  sets.push_back(grid(20));
  sets.push_back(table(std::vector<double>(90, 3.0), 45, 2));
  for (const auto& rows : sets) {
    for (const HdbscanMetric metric : {HdbscanMetric::kEuclidean, HdbscanMetric::kManhattan, HdbscanMetric::kCosine}) {
      for (const int64_t min_samples : {1, 2, 5, 40}) {
        for (const double alpha : {1.0, 0.7}) {
          const ReachTask task(*rows, metric, alpha, min_samples, ctx);
          const SpanningTree plain = plain_spanning(task);
          expect_same(*detail::spanning_by_tree(task, true, ctx), plain);
          expect_same(detail::spanning_by_pairs(task, ctx), plain);
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST(Hdbscan, LabelsAreThoseOfTheDefinition) {
  Context ctx;
  for (const uint64_t seed : {1, 2, 3, 4}) {
    const auto rows = blobs(300, 2, 6, 1.2, seed);
    HdbscanParams params;
    params.min_cluster_size = 8;
    params.min_samples = 1;  // with larger ones reaches are equal, and the definition is not one
    const HdbscanFit fit = hdbscan_fit(*rows, params, ctx);
    const ReachTask task(*rows, params.metric, 1, 1, ctx);
    EXPECT_EQ(fit.labels, plain_labels(task, params.min_cluster_size));
    EXPECT_GT(fit.n_clusters, 1);
  }
}

TEST(Hdbscan, ThreadsRanksWayAndStorageChangeNoBit) {
  const auto rows = blobs(3000, 3, 7, 0.8);
  HdbscanParams params;
  params.min_cluster_size = 12;
  Context one;
  const HdbscanFit base = hdbscan_fit(*rows, params, one);
  const auto same = [&](const HdbscanFit& other) {
    EXPECT_EQ(other.labels, base.labels);
    EXPECT_EQ(other.probabilities, base.probabilities);
    EXPECT_EQ(other.outlier_scores, base.outlier_scores);
    EXPECT_EQ(other.choice.stability, base.choice.stability);
  };
  for (const HdbscanAlgorithm way : {HdbscanAlgorithm::kBrute, HdbscanAlgorithm::kKdTree}) {
    params.algorithm = way;
    for (const int threads : {1, 3}) {
      Context ctx;
      ctx.threads = threads;
      same(hdbscan_fit(*rows, params, ctx));
    }
    run_as_ranks(2, [&](Communicator& comm) {
      Context ctx;
      ctx.comm = &comm;
      same(hdbscan_fit(*rows, params, ctx));
    });
  }
}

TEST(Hdbscan, PermutedRowsArePermutedLabels) {
  Context ctx;
  const auto rows = blobs(800, 2, 5, 1);
  std::vector<int64_t> order(800);
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int64_t>(i * 347 % 800);
  const auto shuffled = table(testing::rows_of(*rows, order).values, 800, 2);
  const HdbscanFit a = hdbscan_fit(*rows, {}, ctx), b = hdbscan_fit(*shuffled, {}, ctx);
  ASSERT_EQ(a.n_clusters, b.n_clusters);
  std::vector<int32_t> to(static_cast<size_t>(a.n_clusters), -2);
  for (size_t i = 0; i < order.size(); ++i) {
    const int32_t was = a.labels[static_cast<size_t>(order[i])], is = b.labels[i];
    EXPECT_EQ(a.probabilities[static_cast<size_t>(order[i])], b.probabilities[i]);
    ASSERT_EQ(was < 0, is < 0);
    if (was < 0) continue;
    if (to[static_cast<size_t>(was)] == -2) to[static_cast<size_t>(was)] = is;
    EXPECT_EQ(to[static_cast<size_t>(was)], is);
  }
}

// Three piles of equal rows, a loose group and a far row: lambda is infinite in the piles.
TEST(Hdbscan, PilesOfEqualRowsAreWholeClustersWithFiniteScores) {
  std::vector<double> values;
  for (int pile = 0; pile < 3; ++pile) {
    for (int i = 0; i < 25; ++i) values.insert(values.end(), {10.0 * pile, 0.0});
    for (int i = 1; i < 5; ++i) values.insert(values.end(), {10.0 * pile + 0.1 * i, 0.3});
  }
  values.insert(values.end(), {200.0, 200.0});
  const auto rows = table(values, 88, 2);
  Context ctx;
  for (const HdbscanSelection method : {HdbscanSelection::kEom, HdbscanSelection::kLeaf}) {
    HdbscanParams params;
    params.cluster_selection_method = method;
    const HdbscanFit fit = hdbscan_fit(*rows, params, ctx);
    EXPECT_EQ(fit.n_clusters, 3);
    EXPECT_EQ(fit.labels[87], -1);
    for (size_t i = 0; i < 87; ++i) {
      if (i % 29 < 25) {
        EXPECT_EQ(fit.labels[i], static_cast<int32_t>(i / 29));
        EXPECT_EQ(fit.probabilities[i], 1);
        EXPECT_EQ(fit.outlier_scores[i], 0);
      }
      EXPECT_TRUE(fit.outlier_scores[i] >= 0 && fit.outlier_scores[i] <= 1);
      EXPECT_TRUE(fit.probabilities[i] >= 0 && fit.probabilities[i] <= 1);
    }
    EXPECT_GT(fit.outlier_scores[87], 0.9);
  }
}

TEST(Hdbscan, AChainOfAMillionRowsNeedsNoRecursion) {
  const int64_t n = 1'000'000;
  std::vector<double> values;
  double x = 0;
  for (int64_t i = 0; i < n; ++i) values.push_back(x += 1 + 1e-6 * static_cast<double>(i));  // every step longer: the tree is one chain
  const auto rows = table(std::move(values), n, 1);
  Context ctx;
  ctx.threads = 2;
  HdbscanParams params;
  params.min_samples = 1;
  params.min_cluster_size = 2;
  const HdbscanFit fit = hdbscan_fit(*rows, params, ctx);
  EXPECT_EQ(fit.tree.clusters(), 1);
  EXPECT_EQ(fit.n_noise, n);
  params.allow_single_cluster = true;
  EXPECT_EQ(hdbscan_fit(*rows, params, ctx).n_clusters, 1);
}

TEST(Hdbscan, DeepTreesOfClustersNeedNoRecursion) {
  // Pairs at ever longer steps: each splits off, so the tree of clusters is a chain of 100,000.
  const int64_t pairs = 100'000;
  std::vector<double> values;
  double x = 0;
  for (int64_t i = 0; i < pairs; ++i) {
    x += 2 + 1e-3 * static_cast<double>(i);
    values.push_back(x);
    values.push_back(x += 1);
  }
  const auto rows = table(std::move(values), 2 * pairs, 1);
  Context ctx;
  HdbscanParams params;
  params.min_samples = 1;
  params.min_cluster_size = 2;
  for (const double epsilon : {0.0, 50.0}) {
    params.cluster_selection_epsilon = epsilon;
    const HdbscanFit fit = hdbscan_fit(*rows, params, ctx);
    EXPECT_GT(fit.tree.clusters(), pairs);
    EXPECT_GT(fit.n_clusters, 1);
  }
}

TEST(Hdbscan, TinyAndEqualInputsEndWell) {
  Context ctx;
  for (const auto& rows : {table({1, 2}, 1, 2), table({1, 2, 3}, 3, 1), table({5, 5, 5, 5}, 4, 1)}) {
    const HdbscanFit fit = hdbscan_fit(*rows, {}, ctx);
    EXPECT_EQ(fit.n_clusters, 0);
    EXPECT_EQ(fit.n_noise, rows->rows());
    const Outcome run = hdbscan_run(*rows, {}, ctx);
    EXPECT_EQ(run.result.all().at("n_core"), "0");
    const Outcome again = hdbscan_apply(decode_model(encode_model(run.model), "model"), *rows, ctx);
    EXPECT_EQ((*again.labels)[0], -1);
  }
  const auto equal = table(std::vector<double>(60, 7), 30, 2);
  EXPECT_EQ(hdbscan_fit(*equal, {}, ctx).n_clusters, 0);  // the root is no cluster unless asked for
  HdbscanParams single;
  single.allow_single_cluster = true;
  const HdbscanFit fit = hdbscan_fit(*equal, single, ctx);
  EXPECT_EQ(fit.n_clusters, 1);
  EXPECT_EQ(fit.n_noise, 0);
  EXPECT_EQ(fit.probabilities[3], 1);
}

TEST(Hdbscan, RefusesWhatItCannotUse) {
  Context ctx;
  const auto code = [&](const Source& rows, const HdbscanParams& params) {
    try {
      hdbscan_fit(rows, params, ctx);
    } catch (const Error& error) {
      return error.code;
    }
    return ErrorCode::kBug;
  };
  EXPECT_EQ(code(*table({1, std::nan(""), 3}, 3, 1), {}), ErrorCode::kBadInput);
  const auto rows = blobs(50, 2, 2, 1);
  HdbscanParams params;
  params.max_cluster_size = 10;
  params.cluster_selection_method = HdbscanSelection::kLeaf;
  EXPECT_EQ(code(*rows, params), ErrorCode::kUsage);
  auto weighted = *rows;
  weighted.set_weights(std::vector<double>(50, 2.0));
  EXPECT_EQ(code(weighted, {}), ErrorCode::kBadInput);
  ctx.memory = 1000;
  EXPECT_EQ(code(*rows, {}), ErrorCode::kMemory);
  ctx.memory = int64_t{1} << 40;
  const std::atomic<bool> stop{true};
  ctx.stop = &stop;
  EXPECT_EQ(code(*rows, {}), ErrorCode::kInterrupted);
}

TEST(Hdbscan, ApplyGivesTrainingRowsExactlyWhatTheFitGaveThem) {
  Context ctx;
  ctx.threads = 2;
  for (const auto& rows : {blobs(700, 2, 4, 1.5), blobs(400, 40, 4, 3), rounded(*blobs(600, 2, 4, 1.5))}) {
    for (const HdbscanMetric metric : {HdbscanMetric::kEuclidean, HdbscanMetric::kManhattan, HdbscanMetric::kCosine}) {
      HdbscanParams params;
      params.metric = metric;
      const HdbscanFit fit = hdbscan_fit(*rows, params, ctx);
      const Outcome run = hdbscan_run(*rows, params, ctx);
      const Outcome again = hdbscan_apply(decode_model(encode_model(run.model), "model"), *rows, ctx);
      for (int64_t i = 0; i < rows->rows(); ++i) ASSERT_EQ((*again.labels)[i], fit.labels[static_cast<size_t>(i)]) << i;
      for (size_t a = 0; a < 2; ++a) {
        EXPECT_EQ(again.arrays[a].name, run.arrays[a].name);
        EXPECT_EQ(again.arrays[a].values, run.arrays[a].values);
      }
      EXPECT_EQ(again.centers, run.centers);
    }
  }
}

TEST(Hdbscan, NewRowsJoinTheClusterTheyLieIn) {
  Context ctx;
  std::vector<double> values;
  Random random(5, RandomStage::kSubsample, 1);
  for (int64_t i = 0; i < 400; ++i) {
    values.push_back((i % 2 == 0 ? 0 : 50) + random.normal());
    values.push_back(random.normal());
  }
  const auto rows = table(values, 400, 2);
  const Outcome run = hdbscan_run(*rows, {}, ctx);
  ASSERT_EQ(run.result.all().at("n_clusters"), "2");
  const auto fresh = table({0.01, 0.02, 50.01, -0.02, 0, 100, 0, 1e6}, 4, 2);
  const Outcome out = hdbscan_apply(decode_model(encode_model(run.model), "model"), *fresh, ctx);
  EXPECT_EQ((*out.labels)[0], 0);
  EXPECT_EQ((*out.labels)[1], 1);
  EXPECT_EQ((*out.labels)[2], -1);
  EXPECT_EQ((*out.labels)[3], -1);
}

TEST(Hdbscan, DamagedModelsAreRefused) {
  Context ctx;
  const auto rows = blobs(200, 2, 3, 1);
  const ModelFile good = hdbscan_run(*rows, {}, ctx).model;
  const auto refused = [&](ModelFile model) {
    try {
      hdbscan_apply(decode_model(encode_model(model), "model"), *rows, ctx);
    } catch (const Error& error) {
      return error.code == ErrorCode::kBadModel;
    }
    return false;
  };
  EXPECT_FALSE(refused(good));
  for (const auto& [name, tensor] : good.tensors) {
    if (name == "cluster_centers") continue;  // may be left out
    ModelFile model = good;
    model.tensors.erase(name);
    EXPECT_TRUE(refused(model)) << name;
    if (tensor.shape.size() != 1) continue;
    model = good;  // one value short
    model.tensors[name].shape[0] -= 1;
    model.tensors[name].data.resize(model.tensors[name].data.size() - 8);
    EXPECT_TRUE(refused(model)) << name;
    for (const int64_t wrong : {int64_t{-7}, int64_t{1} << 40}) {
      if (tensor.dtype != "I64") continue;
      model = good;
      std::memcpy(model.tensors[name].data.data(), &wrong, 8);
      EXPECT_TRUE(refused(model)) << name << " " << wrong;
    }
  }
}

TEST(Hdbscan, EpsilonKeepsCloseClustersWholeAndLeafSplitsThem) {
  Context ctx;
  std::vector<double> values;
  Random random(9, RandomStage::kSubsample, 3);
  for (const double at : {0.0, 6.0, 100.0, 106.0}) {
    for (int i = 0; i < 100; ++i) values.insert(values.end(), {at + random.normal(), random.normal()});
  }
  const auto rows = table(values, 400, 2);
  HdbscanParams params;
  params.min_cluster_size = 20;
  params.cluster_selection_method = HdbscanSelection::kLeaf;
  const HdbscanFit leaf = hdbscan_fit(*rows, params, ctx);
  EXPECT_GE(leaf.n_clusters, 4);
  params.cluster_selection_epsilon = 20;
  const HdbscanFit merged = hdbscan_fit(*rows, params, ctx);
  EXPECT_EQ(merged.n_clusters, 2);
  EXPECT_EQ(merged.n_noise, 0);
  params = {};
  params.min_cluster_size = 20;
  params.max_cluster_size = 150;
  EXPECT_EQ(hdbscan_fit(*rows, params, ctx).n_clusters, 4);
}

}  // namespace
}  // namespace sluice
