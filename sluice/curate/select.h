// Which rows to label first: k-means with as many clusters as labels can be paid for; of each cluster the row nearest its centre is labelled
// and stands for the cluster. Use before any labelling by hand: the same number of labels teaches more than that of rows drawn at random.
// Not for rare kinds of rows (a kind smaller than rows / budget may get no representative; see anomaly/), and only as good as the space: rows
// that lie near each other must tend to share a label.
//
// Determinism: same bits for any threads, ranks, memory, storage and CPU. Weights count in the clusters; a row of weight 0 is never chosen.
// Settles, Active Learning, 2012, section 5.2 (representatives); Nguyen and Smeulders 2004, doi:10.1145/1015330.1015349.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "sluice/cluster/kmeans.h"
#include "sluice/core/outcome.h"
#include "sluice/core/params.h"

namespace sluice {

struct SelectParams {
  int64_t budget = 50;
  KMeansMetric metric = KMeansMetric::kEuclidean;
  std::optional<int64_t> n_init;
  int64_t max_iter = 300;

  template <class Visitor>
  void describe(Visitor&& v) {
    v(budget, "budget", Range<int64_t>{1, (int64_t{1} << 31) - 1}, "Rows to choose: as many as can be labelled.");
    v(metric, "metric",
      Choices<KMeansMetric>{
          {{"euclidean", KMeansMetric::kEuclidean}, {"manhattan", KMeansMetric::kManhattan}, {"cosine", KMeansMetric::kCosine}}},
      "Distance by which a row stands for others.");
    v(n_init, "n_init", Range<int64_t>{1, 10'000}, "Starts of the clustering, of which the best is kept; auto: as kmeans.");
    v(max_iter, "max_iter", Range<int64_t>{1, 1'000'000}, "Most passes of one start.");
  }
};

// What was chosen, one entry a cluster.
struct Selection {
  Outcome clusters;                 // k-means' own: labels, centres, distances, model
  std::vector<int64_t> row;         // the row nearest the cluster's centre, ties the lowest
  std::vector<double> distance;     // from that centre, as k-means measures it (euclidean: not squared)
  std::vector<int64_t> stands_for;  // rows of the cluster, itself counted
};

// The clusters, none of them empty: while k-means leaves an empty one, its centre moves to the row farthest from its own (ties the lowest),
// and all rows are assigned anew. Cost: one k-means of `budget` clusters, and two passes. Memory: as kmeans.h.
// Rows must be measured. Throws Error{kBadInput} when fewer distinct rows of weight above 0 than the budget are there (under cosine: distinct
// directions), and as kmeans_fit.
Selection select_rows(const Source& rows, const SelectParams& params, Context& ctx);

// The nearest `share` of each cluster's rows (rounded to whole rows, the representative always): their numbers, ascending. `labels` and
// `distances` of all rows; ties in distance go to the lowest row. Memory: 16 bytes a row.
std::vector<int64_t> nearest_share(const std::vector<int32_t>& labels, const std::vector<double>& distances,
                                   const std::vector<int64_t>& chosen, double share);

// Adds the array representatives.npy: for each row the row, as the model names it, that stands for it.
void put_representatives(Outcome& selected, const ModelFile& model);

// By name, for the registry. The model holds the centres, and of each the representative's row, its distance and what it stands for.
// apply gives new rows the cluster of the nearest centre, so the representative that stands for them.
Outcome select_run(const Source& rows, const SelectParams& params, Context& ctx);
Outcome select_apply(const ModelFile& model, const Source& rows, Context& ctx);

}  // namespace sluice
