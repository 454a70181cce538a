// HDBSCAN: clusters of any shape and of different density, with noise; no distance to choose, only the least size of a cluster.
// Use for groups whose densities differ, for noise, for odd shapes, and to rank rows by how far they stand out. Not for overlapping groups
// without a thinner place between them (gmm.h), nor when every row must have a cluster (kmeans.h).
//
// The core distance of a row is that to its min_samples-th nearest row, itself counted. Two rows reach each other at the largest of their
// core distances and their own distance / alpha. The minimum spanning tree of these reaches, cut edge by edge from the longest, gives the
// tree of clusters; parts below min_cluster_size only fall out of their cluster. lambda = 1 / reach is the level at which things happen:
// a cluster is born at one, its rows leave at others, and the sum over its rows of what lies between is its stability. `eom` takes the
// clusters that are more stable than what they split into, `leaf` those that do not split at all.
//
// Labels are scikit-learn's up to numbering wherever no two edges of the tree are equally long. Where some are, the order of their joining
// is a matter of taste; ours is by (reach, distance, lower row, higher row), which is the same however and by whoever it is computed. Other
// differences, all where rows coincide:
//   Rows at distance 0 are never told apart: a pile of them leaves its cluster whole. (scikit-learn may split it into several.)
//   Where lambda is infinite (min_samples rows coincide), probabilities and outlier scores are relative to the largest finite lambda of the
//   cluster; the pile itself has 1 and 0. (scikit-learn gives all other rows of such a cluster 0, and no score.)
//   leaf with allow_single_cluster takes the root when nothing splits.
// Clusters are numbered by their lowest row. A row of a cluster is core at the level its cluster lives on, so n_core = rows - n_noise.
//
// Distances have the bits of kernels/dist64.h. cosine: 1 - cos, computed as half the squared difference of rows of length 1, which is exact
// for rows that coincide; a zero row is at distance 1 from all others but zero rows.
//
// Determinism: the tree is unique, and sums run in a fixed order: the same bits for any threads, ranks, storage, CPU and `algorithm`.
// Row weights are refused: a reach has no weighted meaning that is agreed upon. No recursion follows the data: a chain of millions of rows
// works. Campello, Moulavi and Sander 2013, doi:10.1007/978-3-642-37456-2_14; Campello et al. 2015, doi:10.1145/2733381 (outlier scores);
// McInnes and Healy 2017, doi:10.1109/ICDMW.2017.12; Malzer and Baum 2020, doi:10.1109/MFI49285.2020.9235263 (epsilon).
#pragma once
#include <limits>
#include <optional>

#include "sluice/core/outcome.h"
#include "sluice/core/params.h"

namespace sluice {

enum class HdbscanMetric { kEuclidean, kManhattan, kCosine };
enum class HdbscanSelection { kEom, kLeaf };
enum class HdbscanAlgorithm { kAuto, kBrute, kKdTree };

struct HdbscanParams {
  int64_t min_cluster_size = 5;
  std::optional<int64_t> min_samples;
  HdbscanSelection cluster_selection_method = HdbscanSelection::kEom;
  double cluster_selection_epsilon = 0;
  std::optional<int64_t> max_cluster_size;
  bool allow_single_cluster = false;
  double alpha = 1;
  HdbscanMetric metric = HdbscanMetric::kEuclidean;
  HdbscanAlgorithm algorithm = HdbscanAlgorithm::kAuto;

  template <class Visitor>
  void describe(Visitor&& v) {
    v(min_cluster_size, "min_cluster_size", Range<int64_t>{2, (int64_t{1} << 31) - 1}, "Fewest rows that are a cluster.");
    v(min_samples, "min_samples", Range<int64_t>{1, (int64_t{1} << 31) - 1},
      "The core distance is that to the so many-th nearest row, itself counted; larger: more noise. auto: min_cluster_size.");
    v(cluster_selection_method, "cluster_selection_method",
      Choices<HdbscanSelection>{{{"eom", HdbscanSelection::kEom}, {"leaf", HdbscanSelection::kLeaf}}},
      "eom: the most stable clusters; leaf: the smallest ones.");
    v(cluster_selection_epsilon, "cluster_selection_epsilon", Range<double>{0, std::numeric_limits<double>::max()},
      "Clusters that split at less than this distance are kept whole.");
    v(max_cluster_size, "max_cluster_size", Range<int64_t>{2, (int64_t{1} << 31) - 1},
      "Larger clusters are not chosen by eom; auto: no limit.");
    v(allow_single_cluster, "allow_single_cluster", Flag{}, "All rows may be one cluster.");
    v(alpha, "alpha", Range<double>{1e-6, 1e6}, "Distances are divided by it, core distances are not.");
    v(metric, "metric",
      Choices<HdbscanMetric>{
          {{"euclidean", HdbscanMetric::kEuclidean}, {"manhattan", HdbscanMetric::kManhattan}, {"cosine", HdbscanMetric::kCosine}}},
      "Distance between rows.");
    v(algorithm, "algorithm",
      Choices<HdbscanAlgorithm>{
          {{"auto", HdbscanAlgorithm::kAuto}, {"brute", HdbscanAlgorithm::kBrute}, {"kd_tree", HdbscanAlgorithm::kKdTree}}},
      "How the spanning tree is found; never changes the result. auto: a tree where it prunes, else all pairs.");
  }
};

// The tree of clusters. Cluster 0 is the root; a parent comes before its children. Levels are lambda = 1 / reach.
struct CondensedTree {
  std::vector<int64_t> parent;       // -1: the root
  std::vector<double> birth;         // finite
  std::vector<int64_t> size;         // rows at birth
  std::vector<int64_t> row_cluster;  // the last cluster each row belongs to
  std::vector<double> row_lambda;    // the level at which it leaves that; infinity: never
  int64_t clusters() const { return static_cast<int64_t>(parent.size()); }
};

// What was chosen of it.
struct ClusterChoice {
  std::vector<double> stability;     // of each cluster; infinite where rows coincide
  std::vector<double> densest;       // of each cluster: the largest finite level at which a row leaves it or what hangs from it
  std::vector<int32_t> label;        // of each cluster: that of the chosen one it is or hangs from, or -1
  std::vector<int64_t> cluster;      // label -> cluster
  std::vector<double> least_lambda;  // label -> the level from which on rows belong to it
  std::vector<double> full_lambda;   // label -> the level from which on a row's probability is 1; 0: all have 1
};

// Of all rows, on every rank.
struct HdbscanFit {
  std::vector<int32_t> labels;         // -1: noise
  std::vector<double> probabilities;   // lambda over full_lambda, at most 1; 0 for noise
  std::vector<double> outlier_scores;  // GLOSH: 1 - lambda / densest of the cluster that the row leaves; 0 to 1
  std::vector<double> core_distances;
  CondensedTree tree;
  ClusterChoice choice;
  int64_t n_clusters = 0;
  int64_t n_noise = 0;
};

// Rows must be measured (statistics.h). Cost: a tree (few columns): O(n log^2 n) typically; brute: a k-nearest pass and some passes over
// all pairs in float32, O(n^2 d) each. Memory: about 16 n (d + 1) + 150 n bytes, 8 n k more by brute for k = max(min_samples, 16); every
// rank computes the whole. Fewer rows than min_samples or min_cluster_size: all are noise. Throws Error{kBadInput} for no rows, no columns,
// values that are not finite or row weights; Error{kUsage} for max_cluster_size with leaf or kd_tree with cosine; Error{kMemory} when it
// does not fit ctx.memory; Error{kInterrupted} when asked to stop.
HdbscanFit hdbscan_fit(const Source& rows, const HdbscanParams& params, Context& ctx);

// What labels new rows: the training rows and what the fit found.
struct HdbscanModel {
  Matrix<double> components;  // the training rows
  HdbscanFit fit;
  Matrix<double> cluster_centers;  // the mean of each cluster's rows, for people; may be empty
  int64_t min_samples = 5;
  double alpha = 1;
  HdbscanMetric metric = HdbscanMetric::kEuclidean;
};

// This rank's rows.
struct HdbscanLabels {
  RowColumn<int32_t> labels;
  RowColumn<double> probabilities, outlier_scores;
};

// A row at distance 0 from a training row gets what the lowest such row got: training rows get exactly what the fit gave them. Any other
// row hangs itself onto the tree where it first reaches a training row (its core distance: to the (min_samples - 1)-th nearest training
// row, itself being the first; of equal reaches the nearest, then the lowest row), and belongs to the cluster that is alive there: to its
// label, or noise. Looked at are the 2 min_samples nearest training rows, as the hdbscan package's approximate_predict does. Cost: a search
// of neighbors/knn.h.
HdbscanLabels hdbscan_assign(const HdbscanModel& model, const Source& rows, Context& ctx);

// By name, for the registry: keys n_clusters, n_noise, n_core, cluster_sizes, cluster_stability, n_tree_clusters, min_samples,
// metric; per row
// probabilities.npy and outlier_scores.npy. The model holds all rows.
Outcome hdbscan_run(const Source& rows, const HdbscanParams& params, Context& ctx);
Outcome hdbscan_apply(const ModelFile& model, const Source& rows, Context& ctx);

}  // namespace sluice
