// UMAP: a map of the rows in two (or a few) columns in which near rows stay near.
// Use to see groups and bent shapes in rows of many columns. Distances between groups, their sizes and empty space in the map mean little, so
// do not measure there; for straight directions and for numbers to go on with see pca.h.
//
// Every row is joined to its n_neighbors nearest (itself counted) with a strength that falls with the distance, in units of the row's own
// neighbourhood; strengths of both directions are joined as fuzzy sets. The map starts from the graph's slowest vibrations (spectral), then
// joined rows attract and random ones repel each other. Parameters carry umap-learn's names and mean the same.
//
// Determinism: same bits for any threads, ranks, memory and storage. Each epoch is cut into kUmapSlices slices; in a slice every row of it
// moves along its own edges while all others stand still, random rows named by (seed, epoch, row). Every rank computes the whole map.
// McInnes, Healy and Melville 2018, arXiv:1802.03426.
#pragma once
#include <optional>
#include <vector>

#include "sluice/core/outcome.h"
#include "sluice/core/params.h"
#include "sluice/kernels/metric.h"

namespace sluice {

enum class UmapMetric { kEuclidean, kManhattan, kCosine };
enum class UmapInit { kSpectral, kPca, kRandom };

inline constexpr int64_t kUmapSlices = 16;

struct UmapParams {
  int64_t n_neighbors = 15;
  int64_t n_components = 2;
  double min_dist = 0.1;
  double spread = 1;
  UmapMetric metric = UmapMetric::kEuclidean;
  std::optional<int64_t> n_epochs;
  double learning_rate = 1;
  UmapInit init = UmapInit::kSpectral;
  int64_t negative_sample_rate = 5;
  double set_op_mix_ratio = 1;
  double local_connectivity = 1;
  double repulsion_strength = 1;

  template <class Visitor>
  void describe(Visitor&& v) {
    v(n_neighbors, "n_neighbors", Range<int64_t>{2, 10'000}, "Rows of a neighbourhood, itself counted: few show detail, many the whole.");
    v(n_components, "n_components", Range<int64_t>{1, 1000}, "Columns of the map.");
    v(min_dist, "min_dist", Range<double>{0, 1000}, "How near rows may lie in the map, in units of spread; at most spread.");
    v(spread, "spread", Range<double>{1e-3, 1000}, "Scale of the map.");
    v(metric, "metric",
      Choices<UmapMetric>{{{"euclidean", UmapMetric::kEuclidean}, {"manhattan", UmapMetric::kManhattan}, {"cosine", UmapMetric::kCosine}}},
      "Distance between rows.");
    v(n_epochs, "n_epochs", Range<int64_t>{1, 1'000'000}, "Rounds of moving; auto: 500 up to 10,000 rows, else 200.");
    v(learning_rate, "learning_rate", Range<double>{1e-6, 1000}, "Size of the first steps; they fall to 0.");
    v(init, "init", Choices<UmapInit>{{{"spectral", UmapInit::kSpectral}, {"pca", UmapInit::kPca}, {"random", UmapInit::kRandom}}},
      "Where rows start. Spectral takes pca where the graph falls into parts.");
    v(negative_sample_rate, "negative_sample_rate", Range<int64_t>{0, 1000}, "Random rows that repel for each one that attracts.");
    v(set_op_mix_ratio, "set_op_mix_ratio", Range<double>{0, 1}, "1: rows are joined if either names the other; 0: if both do.");
    v(local_connectivity, "local_connectivity", Range<double>{0, 1000}, "Nearest rows that are joined with full strength.");
    v(repulsion_strength, "repulsion_strength", Range<double>{0, 1000}, "Weight of what repels.");
  }
};

struct UmapModel {
  Matrix<double> rows;       // n x d, what was fitted
  Matrix<double> embedding;  // n x n_components, their places
  UmapMetric metric = UmapMetric::kEuclidean;
  int64_t n_neighbors = 15;
  int64_t n_epochs = 0;
  int64_t negative_sample_rate = 5;
  uint64_t seed = 0;
  double a = 0, b = 0;  // nearness in the map is 1 / (1 + a distance^(2 b))
  double learning_rate = 1;
  double local_connectivity = 1;
  double repulsion_strength = 1;
};

struct UmapFit {
  UmapModel model;
  int64_t n_parts = 0;  // connected parts of the graph
  UmapInit started = UmapInit::kSpectral;
};

// Cost: neighbours (neighbors/knn.h), then about n_epochs n (n_neighbors / 2) (negative_sample_rate + 2) moves of some nanoseconds. Memory on
// every rank: 24 n d for the model, about 100 n n_neighbors + 400 n; Error{kMemory} before it is taken. With n <= n_neighbors all rows are
// one neighbourhood. Rows must be measured. Throws Error{kBadInput} for no rows, weights or 2^31 rows, Error{kUsage} for min_dist above
// spread.
UmapFit umap_fit(const Source& rows, const UmapParams& params, Context& ctx);

// Places of new rows in the finished map, on every rank: the strength-weighted mean of the nearest fitted rows, then n_epochs / 3 rounds in
// which only the new row moves. Each row by itself, so it does not matter which others come with it; a row equal to a fitted one takes
// its place. Cost: neighbours of the new rows, then as the fit.
Matrix<double> umap_transform(const UmapModel& model, const Source& rows, Context& ctx);

// As a file. umap_load throws Error{kBadModel} where shapes do not agree or a value makes no sense.
ModelFile umap_save(const UmapModel& model);
UmapModel umap_load(const ModelFile& file);

// By name, for the registry.
Outcome umap_run(const Source& rows, const UmapParams& params, Context& ctx);
Outcome umap_apply(const ModelFile& model, const Source& rows, Context& ctx);

}  // namespace sluice
