// One pass of Lloyd's method as a state: which centre is nearest to each row, and the exact sums of the rows each centre has won.
// The sums are integers (core/limbs.h), so a pass needs to add and subtract only the rows that changed their centre.
#pragma once
#include <vector>

#include "sluice/core/exact_sum.h"
#include "sluice/core/fold.h"
#include "sluice/core/limbs.h"
#include "sluice/core/matrix.h"
#include "sluice/kernels/assign.h"

namespace sluice {

// Ranges of weight * value, and the format of the weights (without limbs where rows have none), for the sums below.
std::vector<LimbFormat::Range> weighted_ranges(const Source& rows);
LimbFormat weight_format(const Source& rows);

// Sums of rows and their weights by cluster. Unweighted rows weigh 1.
struct ClusterSums {
  ClusterSums() = default;
  ClusterSums(const LimbFormat& format, const LimbFormat& weight_format, int64_t k);
  void merge(const ClusterSums& other);
  // cluster c gains (sign +1) or loses (-1) a row. `scratch` holds cols doubles.
  void change(int64_t c, int sign, const MatrixBlock& leaf, int64_t row, double* scratch);
  void change(int64_t c, int sign, const CsrBlock& leaf, int64_t row, double* scratch);
  double weight(int64_t c) const;
  // The weighted mean of cluster c's rows, which must weigh something.
  void mean(int64_t c, double* out) const;

  const LimbFormat* format = nullptr;
  const LimbFormat* weight_format = nullptr;
  std::vector<int64_t> sums;     // k x limbs x cols
  std::vector<int64_t> weights;  // k x limbs of the weight format; empty: all rows weigh 1
  std::vector<int64_t> counts;   // k: rows
  bool sparse = false;           // the sums hold no pattern of the magic numbers (sparse_limb_add)
};

// Labels of the rows under `plan`, compared with those of the pass before (`labels`, -1: none), which it replaces; what changed
// is collected in `delta`.
class LloydState {
 public:
  LloydState(const kernels::AssignPlan& plan, const LimbFormat& format, const LimbFormat& weight_format, RowColumn<int32_t>& labels);
  void accumulate(const MatrixBlock& leaf);
  void accumulate(const CsrBlock& leaf);
  void merge(LloydState&& other);
  void save(ByteWriter& out) const;
  void load(ByteReader& in);
  int64_t bytes() const;

  ClusterSums delta;
  int64_t moved = 0;

 private:
  template <class Block>
  void take(const Block& leaf);
  const kernels::AssignPlan* plan_;
  RowColumn<int32_t>* labels_;
  kernels::AssignScratch scratch_;
  kernels::SparseScratch sparse_scratch_;
  std::vector<int32_t> fresh_;
  std::vector<double> row_;
};

// Labels and the objective: the summed weight * distance, by leaf totals.
class ObjectiveState {
 public:
  ObjectiveState(const kernels::AssignPlan& plan, RowColumn<int32_t>& labels);
  void accumulate(const MatrixBlock& leaf);
  void accumulate(const CsrBlock& leaf);
  void merge(ObjectiveState&& other);
  void save(ByteWriter& out) const;
  void load(ByteReader& in);
  int64_t bytes() const;

  ExactSum objective;
  std::vector<int64_t> counts;

 private:
  template <class Block>
  void take(const Block& leaf, int32_t* labels);
  const kernels::AssignPlan* plan_;
  RowColumn<int32_t>* labels_;
  kernels::AssignScratch scratch_;
  kernels::SparseScratch sparse_scratch_;
  std::vector<double> distances_;
};

// The `most` rows farthest from their nearest centre, by (distance falling, row rising); never rows at distance 0,
// without weight or, under cosine, without direction.
struct FarRow {
  double distance = 0;
  int64_t row = 0;
};
std::vector<FarRow> farthest_rows(const Source& rows, const kernels::AssignPlan& plan, int64_t most, Context& ctx);

}  // namespace sluice
