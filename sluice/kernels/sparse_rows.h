// Rows of which only the non-zero values are kept (compressed sparse rows), against dense points: nearest centre, k-means++ potentials,
// projections and exact sums; and against each other: distances. All are, bit for bit, those the dense kernels give for the same rows with
// their zeros written out: a product with zero changes no lane of dist64.h, so a cosine is summed over the non-zeros alone; a squared
// distance to a dense point has a term in every column, so products over the non-zeros choose which centres it could be, within a proven
// bound, and dist64.h decides among those.
// Use where fewer than about one value in ten is not zero; else the dense kernels (assign.h, seed_update.h) are quicker.
#pragma once
#include <cstdint>
#include <vector>

#include "sluice/kernels/metric.h"

namespace sluice::kernels {

// A view; owns nothing. Row i: places offsets[i] - offsets[0] up to offsets[i + 1] - offsets[0] of indices (ascending, each once) and
// values (none 0, all finite).
struct SparseRows {
  int64_t rows = 0;
  int64_t cols = 0;
  const int64_t* offsets = nullptr;
  const int32_t* indices = nullptr;
  const double* values = nullptr;

  int64_t begin(int64_t row) const { return offsets[row] - offsets[0]; }
  int64_t count(int64_t row) const { return offsets[row + 1] - offsets[row]; }
};

// Working memory of one thread: cols doubles and a few. The dense row is all zeros between calls.
struct SparseScratch {
  std::vector<double> dense;
  std::vector<double> lanes;
  std::vector<double> scores;
  int64_t rechecked = 0;  // rows for which several centres were compared column by column
};

// sum over the non-zeros of x_j b_j: the bits of dot(dense row, b, cols) of dist64.h. Cost O(count).
double sparse_dot(const int32_t* indices, const double* values, int64_t count, const double* b) noexcept;

// The row's squared length: the bits of dot(dense row, dense row, cols).
double sparse_square(const int32_t* indices, const double* values, int64_t count) noexcept;

// The distance of two rows of non-zeros: the bits of distance64(metric, .., .., cols) of the rows written out. Cost O(a_count + b_count).
double sparse_distance64(Metric metric, const int32_t* a_indices, const double* a, int64_t a_count, const int32_t* b_indices,
                         const double* b, int64_t b_count) noexcept;

// k centres laid out for rows of non-zeros: column by column. Immutable, shared by threads. Memory 8 k d bytes, and the caller's centres,
// which must outlive it.
class SparseCentres {
 public:
  SparseCentres() = default;
  // centers: k x d, row-major. Metric kSquaredEuclidean or kCosine (both sides unit length or zero).
  SparseCentres(Metric metric, const double* centers, int64_t k, int64_t d);

  // labels[i] = argmin over c of distance64(row i, centre c), ties to the lowest c; distances may be null. `centers` as at the start.
  // Cost O(non-zeros k), squared Euclidean with distances O(rows d) more.
  void assign(const double* centers, const SparseRows& rows, int32_t* labels, double* distances, SparseScratch& scratch) const;

 private:
  void products(const SparseRows& rows, int64_t row, int64_t first, SparseScratch& scratch) const;
  void assign_cosine(const SparseRows& rows, int32_t* labels, double* distances, SparseScratch& scratch) const;
  void assign_squared(const double* centers, const SparseRows& rows, int32_t* labels, double* distances, SparseScratch& scratch) const;
  Metric metric_ = Metric::kCosine;
  int64_t k_ = 0;
  int64_t d_ = 0;
  int64_t stride_ = 0;             // k rounded up to whole blocks
  std::vector<double> by_column_;  // d x stride
  std::vector<double> norms_;      // |c|^2
  double longest_ = 0;             // max |c|
};

// out[i * n_candidates + l] = min(current[i], distance64(row i, candidate l)), as seed_distances of seed_update.h. current may be null.
void sparse_seed_distances(const SparseRows& rows, Metric metric, const double* candidates, int64_t n_candidates, const double* current,
                           double* out, SparseScratch& scratch);

// out[r * q + c] = sum over the row's non-zeros, in ascending columns j, of x_rj * by_column[j * q + c]: the bits of project() (project.h)
// about a center of zeros, by_column (d x q) being its components turned round. Cost O(non-zeros q).
void sparse_project(const SparseRows& rows, const double* by_column, int64_t q, double* out) noexcept;

// Adds to sums (limbs x cols) what limb_add adds for the row less the pattern of each magic, which a zero would add: the caller takes
// count = 0 where it takes count * pattern off else. sign +1 or -1.
void sparse_limb_add(int64_t* sums, const int32_t* indices, const double* values, int64_t count, const double* magic, int64_t cols,
                     int limbs, int sign) noexcept;

}  // namespace sluice::kernels
