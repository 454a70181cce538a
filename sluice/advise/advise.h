// Which clusterer to take for a table, with which parameters, and why. For a first look at data that nobody knows; not instead of looking:
// docs/advise.md says how often it is right. The rules read numbers measured on a sample of the rows, and every reason names its numbers.
//
// Measured: whether there are clusters at all (cluster/choose_k.h), what HDBSCAN finds (clusters, noise), and how well the k-means
// clusters and a mixture's components agree (adjusted Rand index) with HDBSCAN's clusters on the rows that are no noise. The idea: where all
// three say the same, groups are compact and k-means names every row; where HDBSCAN finds clear clusters that the others cut up, their
// shapes are odd; where HDBSCAN sees mostly noise, groups overlap.
//
// Determinism: same bits for any threads, ranks, memory and storage.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "sluice/core/context.h"
#include "sluice/core/params.h"
#include "sluice/core/source.h"

namespace sluice {

struct AdviseParams {
  int64_t sample = 5000;

  template <class Visitor>
  void describe(Visitor&& v) {
    v(sample, "sample", Range<int64_t>{50, 100'000}, "Rows drawn for measuring when there are more.");
  }
};

// What the table was before its rows became numbers.
struct TableFacts {
  int64_t columns = 0;
  int64_t text_columns = 0;
  int64_t missing_cells = 0;
};

struct Measured {
  int64_t rows = 0, cols = 0, sample_rows = 0;
  int64_t pca_columns = 0;       // principal axes that hold 95 % of the variance, where there are more than 50 columns; else 0
  bool spread = false;           // not all rows are equal
  bool structured = false;       // by the k-means curve
  double excess = 0, limit = 0;  // of that test
  std::string null;              // the kind of data without clusters that explains it best
  int64_t k = 0;                 // 0: none
  double silhouette = 0;         // at k
  int64_t density_clusters = 0;  // HDBSCAN's
  double noise = 0;              // share of rows
  double largest = 0;            // share of rows in its largest cluster
  double agreement_kmeans = 0;   // with HDBSCAN's clusters, noise left out; 0 where one has none
  double agreement_mixture = 0;
  int64_t components = 0;     // of the mixture with the lowest BIC
  double density_spread = 1;  // the 0.9 over the 0.1 quantile of the distances to the min_samples-th neighbour
  double eps = 0;             // the knee of those distances
  int64_t min_cluster_size = 5, min_samples = 5, dbscan_min_samples = 5;  // min_cluster_size: of all rows
};

struct Candidate {
  std::string method;
  std::vector<std::pair<std::string, std::string>> params;  // name, JSON
};

struct Advice {
  bool structure = false;
  Candidate chosen;
  std::vector<Candidate> candidates;  // kmeans, gmm, dbscan, hdbscan and hdbscan with leaf, each with the parameters measured for it
  std::vector<std::string> reasons;
};

// `rows`: numbers, scaled as they are to be clustered; measured (statistics.h). Cost: some hundred k-means fits of at most 2,000 rows, a
// few dozen mixtures and two neighbour searches of the sample: seconds. Memory: the sample. Throws Error{kBadInput} for no rows, no columns
// or values that are not finite. Collective.
Measured measure_for_advice(const Source& rows, const AdviseParams& params, Context& ctx);

// The rules. Pure.
Advice advise(const Measured& found, const TableFacts& table);

}  // namespace sluice
