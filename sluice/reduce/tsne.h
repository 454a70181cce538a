// t-SNE: a map of the rows in two or three columns in which each row keeps its neighbours.
// Use to see groups in rows of many columns. Distances between groups, their sizes and densities mean little in it, so do not cluster or
// measure there; for straight directions and for numbers to go on with see pca.h, for maps of new rows by the thousand umap.h.
//
// Rows pick their neighbours with the probabilities of a Gaussian around them, as wide as makes `perplexity` of them count; places in the map
// pick theirs with those of a Student t; the map is moved downhill on the Kullback-Leibler divergence of the two (kl_divergence). What
// attracts are the 3 * perplexity nearest rows, exact ones (neighbors/knn.h); what repels is everybody, summed exactly or, for large n in
// two columns, over a grid by Fourier transforms.
//
// Parameters carry the names of scikit-learn and openTSNE; steps, gains and the automatic learning rate are openTSNE's. Determinism: same bits
// for any threads, ranks, memory and storage; every rank computes the whole map. Random numbers are named by (seed, row).
// Van der Maaten and Hinton 2008; Linderman et al. 2019, doi:10.1038/s41592-018-0308-4; Belkina et al. 2019, doi:10.1038/s41467-019-13055-y;
// Kobak and Berens 2019, doi:10.1038/s41467-019-13056-x.
#pragma once
#include <optional>
#include <vector>

#include "sluice/core/outcome.h"
#include "sluice/core/params.h"
#include "sluice/kernels/metric.h"

namespace sluice {

enum class TsneInit { kPca, kRandom };
enum class TsneMethod { kAuto, kExact, kFft };

struct TsneParams {
  int64_t n_components = 2;
  double perplexity = 30;
  double early_exaggeration = 12;
  int64_t early_exaggeration_iter = 250;
  std::optional<double> learning_rate;
  int64_t max_iter = 1000;
  TsneInit init = TsneInit::kPca;
  kernels::Metric metric = kernels::Metric::kSquaredEuclidean;
  TsneMethod method = TsneMethod::kAuto;

  template <class Visitor>
  void describe(Visitor&& v) {
    v(n_components, "n_components", Range<int64_t>{2, 3}, "Columns of the map. More than 3 are not what t-SNE is for: use pca or umap.");
    v(perplexity, "perplexity", Range<double>{1, 1'000'000}, "Neighbours that count for each row; at most (rows - 1) / 3.");
    v(early_exaggeration, "early_exaggeration", Range<double>{1, 10'000}, "How much stronger neighbours attract at first.");
    v(early_exaggeration_iter, "early_exaggeration_iter", Range<int64_t>{0, 1'000'000}, "Steps of that first phase, counted in max_iter.");
    v(learning_rate, "learning_rate", Range<double>{1e-6, 1e9},
      "Size of the steps, in openTSNE's unit (a quarter of scikit-learn's); auto: rows / exaggeration of the phase.");
    v(max_iter, "max_iter", Range<int64_t>{1, 10'000'000}, "Steps in all.");
    v(init, "init", Choices<TsneInit>{{{"pca", TsneInit::kPca}, {"random", TsneInit::kRandom}}}, "Where the rows start.");
    v(metric, "metric",
      Choices<kernels::Metric>{{{"euclidean", kernels::Metric::kSquaredEuclidean},
                                {"manhattan", kernels::Metric::kManhattan},
                                {"cosine", kernels::Metric::kCosine}}},
      "Distance between rows.");
    v(method, "method", Choices<TsneMethod>{{{"auto", TsneMethod::kAuto}, {"exact", TsneMethod::kExact}, {"fft", TsneMethod::kFft}}},
      "How repulsion is summed; auto: exact up to 3,000 rows and in 3 columns, else fft.");
  }
};

// A finished map, all that is needed to place new rows in it.
struct TsneModel {
  Matrix<double> rows;       // n x d, what was fitted
  Matrix<double> embedding;  // n x n_components
  double perplexity = 30;
  kernels::Metric metric = kernels::Metric::kSquaredEuclidean;
};

struct TsneFit {
  Matrix<double> embedding;
  double perplexity = 0;  // as used
  double kl_divergence = 0;
  bool kl_exact = true;  // its normaliser summed over all pairs, else over the grid (above 200,000 rows)
  bool grid = false;
  int64_t n_iter = 0;
  std::vector<double> iteration, divergence;  // every 50 steps, as the method sees it
};

// A perplexity above (n - 1) / 3 is brought down to that. Cost: the neighbour graph, then a step exact O(n^2), fft O(n perplexity + grid).
// Memory about 180 n perplexity bytes and the grid (20 MB to 200 MB). Rows must be measured. Throws Error{kBadInput} for fewer than 4 rows,
// Error{kUsage} for fft in 3 columns, Error{kMemory}, Error{kInterrupted}.
TsneFit tsne_fit(const Source& rows, const TsneParams& params, Context& ctx);

// Places of new rows, each as if it came alone: it starts at the weighted median of its nearest rows' places and moves downhill while the map
// stands still. A row equal to one of the fit gets that one's place. Cost a row: neighbours, then 250 steps, of O(n) where the map is exact
// (up to 3,000 rows, and in 3 columns), else O(1).
Matrix<double> tsne_place(const TsneModel& model, const Source& rows, Context& ctx);

// By name, for the registry.
Outcome tsne_run(const Source& rows, const TsneParams& params, Context& ctx);
Outcome tsne_apply(const ModelFile& model, const Source& rows, Context& ctx);

}  // namespace sluice
