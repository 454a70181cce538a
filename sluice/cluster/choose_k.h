// How many clusters, or none. For tables whose clusters, if any, are compact enough for k-means; rings and chains are called structured,
// but their number is then that of the pieces k-means cuts them into (see dbscan.h).
//
// 1. A sweep of k-means over k = k_min .. k_max on all rows: within-cluster squares (wcss) and silhouette.
// 2. A structure test on a sample of at most `sample` rows (structure.h): the curve must fall faster than those of four nulls without
//    clusters, else the answer is "no cluster structure" (n_clusters has no value), with the null that explains the data.
// 3. The gap statistic against the deciding null, gap(k) = mean log W_null(k) - log W(k): the k >= 2 where it is largest. (The usual rule
//    takes the first k that is as good as the next, and stops early when clusters come in groups.)
// 4. Down from there: while the gap at k - 1 is within 1.5 standard errors of the largest, and the clusters beyond k - 1 would be found in
// k - 1
//    Gaussian clusters as well (their drop in log W is within what such mixtures show, at `level`), k is lowered. This undoes splits of
//    long or skewed clusters that nulls of full dimension reward.
//
// Determinism: same bits for any threads, ranks, memory and storage.
// Cost: the sweep's k-means fits (n_init starts each), silhouettes on at most 2,000 rows, 4 * n_refs * k_max fits of one start of the
// sample (twice as many when it is close), and a few hundred more in step 4. About a second for 1,000 x 2, single threaded. Memory: the
// sample, 8 bytes a row. Tibshirani, Walther and Hastie 2001, doi:10.1111/1467-9868.00293; Rousseeuw 1987; Hartigan and Hartigan 1985 (one
// mode).
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "sluice/cluster/structure.h"
#include "sluice/core/outcome.h"
#include "sluice/core/params.h"

namespace sluice {

struct ChooseKParams {
  int64_t k_min = 1;
  std::optional<int64_t> k_max;
  int64_t n_refs = 20;
  double level = 0.02;
  std::optional<int64_t> n_init;
  int64_t sample = 2000;

  template <class Visitor>
  void describe(Visitor&& v) {
    v(k_min, "k_min", Range<int64_t>{1, 1'000'000}, "Fewest clusters tried.");
    v(k_max, "k_max", Range<int64_t>{1, 1'000'000},
      "Most clusters tried; auto: 16, and 32 where the gap still rises there and the data is small; fewer where rows are few.");
    v(n_refs, "n_refs", Range<int64_t>{5, 10'000}, "Data sets drawn from each null; twice as many when it is close.");
    v(level, "level", Range<double>{1e-6, 0.5}, "Share of data without clusters that may be called structured.");
    v(n_init, "n_init", Range<int64_t>{1, 10'000}, "k-means starts for each k; auto: 10 while the work is small, 1 when it is large.");
    v(sample, "sample", Range<int64_t>{50, 1'000'000}, "Rows drawn for the test when there are more.");
  }
};

struct ChooseKResult {
  std::optional<int64_t> n_clusters;  // no value: no cluster structure
  std::vector<int64_t> k;
  std::vector<double> wcss;            // of all rows; these and the next run parallel to k
  std::vector<double> silhouette;      // NaN at k = 1
  std::vector<double> gap;             // on the sample, against the deciding null
  std::vector<double> gap_se;          // deviation of log W_null times sqrt(1 + 1 / references)
  std::vector<double> null_band;       // the gap of data from the null itself lies within +- this, but for a share `level`
  std::vector<NullVerdict> nulls;      // all four
  NullKind null = NullKind::kUniform;  // the deciding one
  double excess = 0;                   // its, and
  double limit = 0;                    // what it had to pass
  int64_t sample_rows = 0;
  int64_t silhouette_rows = 0;
  std::string reason;  // in words, with the numbers
};

// Rows must be measured. Throws Error{kBadInput} for no rows, no columns, values that are not finite, or k_max above the rows;
// Error{kUsage} for k_min above k_max. Collective.
ChooseKResult choose_k(const Source& rows, const ChooseKParams& params, Context& ctx);

// By name, for the registry: keys n_clusters (null: no structure), k, wcss, silhouette, gap, gap_se, structure, null, nulls, excess, limit,
// sample_rows, silhouette_rows, reason; figures of the three curves; the reason as a note.
Outcome choose_k_run(const Source& rows, const ChooseKParams& params, Context& ctx);

}  // namespace sluice
