// Isolation forest: random trees cut a few rows apart; a row that few cuts isolate is anomalous.
// Use first, on tables of any size: no distances, no scaling, few rows to learn from. Not for anomalies hidden between the values that
// each column often has (lof.h, knn_distance.h), and not where only the direction of correlation is wrong (mahalanobis.h).
//
// Every tree sees max_samples rows drawn without replacement and cuts at random: a column that still varies, a place between its least
// and greatest value, until rows are alone or the depth reaches ceil(log2(max_samples)). With E the mean over trees of the depth at
// which a row ends, plus c(m) where m rows ended together, the score is 2^(-E / c(max_samples)), between 0 and 1; about 0.5 says nothing.
// c(m) = 2 (ln(m - 1) + 0.5772...) - 2 (m - 1) / m is the mean depth of an unsuccessful search. These are scikit-learn's scores in
// another draw of the trees; rows that do not differ at all score 0.5.
//
// Determinism: tree t is drawn by (seed, t) alone; a row's score is one sum in the order of the trees. Same bits for any threads, ranks,
// memory, storage and CPU. Liu, Ting and Zhou 2008, doi:10.1109/ICDM.2008.17.
#pragma once
#include <vector>

#include "sluice/core/outcome.h"
#include "sluice/core/params.h"

namespace sluice {

struct IsolationForestParams {
  int64_t n_estimators = 100;
  int64_t max_samples = 256;
  double max_features = 1.0;

  template <class Visitor>
  void describe(Visitor&& v) {
    v(n_estimators, "n_estimators", Range<int64_t>{1, 1'000'000}, "Number of trees.");
    v(max_samples, "max_samples", Range<int64_t>{1, int64_t{1} << 24}, "Rows that each tree is grown on; all, where there are fewer.");
    v(max_features, "max_features", Range<double>{0x1p-30, 1}, "Share of the columns that each tree may cut, at least one.");
  }
};

// Trees lie one after another, each in breadth-first order: a node's children are neighbours, the left one first.
struct IsolationForestModel {
  int64_t cols = 0;
  int64_t max_samples = 0;         // rows that each tree was grown on
  std::vector<int64_t> tree;       // the first node of each tree, and the number of nodes
  std::vector<int64_t> feature;    // column of a node's cut; -1: a leaf
  std::vector<double> threshold;   // x <= threshold goes left; 0 in a leaf
  std::vector<int64_t> left;       // number of the left child within the tree; 0 in a leaf
  std::vector<int64_t> n_samples;  // rows of the sample that came to the node
};

// Cost: trees O(n_estimators max_samples (d + log max_samples)); nothing depends on n but the reading of the drawn rows. Memory: 8 d
// max_samples bytes a thread and 40 bytes a node. Throws Error{kMemory} where these do not fit.
IsolationForestModel isolation_forest_fit(const Source& rows, const IsolationForestParams& params, Context& ctx);

// A forest laid out for scoring.
class IsolationScorer {
 public:
  explicit IsolationScorer(const IsolationForestModel& model);
  // out[r] = score of row r. Cost O(n_estimators log max_samples) a row. Row-local, any thread.
  void score(const MatrixBlock& rows, double* out) const;

 private:
  struct Node {
    double threshold;  // infinity in a leaf, whose left child is itself: a walk may go on and stays
    int32_t feature;
    int32_t left;
  };
  struct Tree {
    int64_t first = 0;
    int32_t depth = 0;
  };
  void add_tree(const IsolationForestModel& model, int64_t tree);
  template <int kRows>
  void add_depths(const double* rows, double* depths) const;

  int64_t cols_;
  double scale_;  // of a sum of depths: log2 of the score; 0 where all trees are empty
  std::vector<Tree> trees_;
  std::vector<Node> nodes_;
  std::vector<double> depth_;  // at which a row that ends in the node counts as isolated
};

ModelFile isolation_forest_save(const IsolationForestModel& model);
IsolationForestModel isolation_forest_load(const ModelFile& file);

// By name, for the registry.
Outcome isolation_forest_run(const Source& rows, const IsolationForestParams& params, Context& ctx);
Outcome isolation_forest_apply(const ModelFile& file, const Source& rows, Context& ctx);

}  // namespace sluice
