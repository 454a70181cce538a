// The sweeps of pairs.h for one Highway target: tiles of scores, and what each operation does with the pairs that may be in.
#if defined(SLUICE_KERNELS_PAIRS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SLUICE_KERNELS_PAIRS_INL_H_
#undef SLUICE_KERNELS_PAIRS_INL_H_
#else
#define SLUICE_KERNELS_PAIRS_INL_H_
#endif

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "hwy/highway.h"
#include "sluice/kernels/pair_candidates-inl.h"
#include "sluice/kernels/pair_tiles-inl.h"
#include "sluice/kernels/pairs_ref.h"

HWY_BEFORE_NAMESPACE();
namespace sluice::kernels {
namespace HWY_NAMESPACE {

constexpr float kPairInfinity = std::numeric_limits<float>::infinity();

// One call: the packed block b, and the block of a in work.
struct PairSweep {
  const PairPlan& plan;
  const RowsView& a;
  const RowsView& b;
  PairScratch& scratch;
  PairBounds bounds;
  int64_t first = 0;  // the block of a
  int64_t count = 0;
  PairRowBound query[kPairBlock];
  bool any_unusable = false;  // a row of b with the score -infinity

  PairSweep(const PairPlan& plan, const RowsView& a, const RowsView& b, PairScratch& scratch)
      : plan(plan), a(a), b(b), scratch(scratch), bounds(plan.metric(), plan.d(), plan.scale_exponent()) {}

  bool absolute() const { return plan.metric() == Metric::kManhattan; }
  const float* margin() const { return scratch.margin.data(); }
  double exact(int64_t i, int64_t j) const {
    ++scratch.rechecked;
    return distance_to(plan.metric(), scratch.wide.data() + i * a.cols, b, j);
  }

  void pack(const RowsView& rows, int64_t begin, int64_t n, int64_t width, bool negate, float* to, PairRowBound* bound) {
    const PairPacking how{plan, bounds, negate};
    float* row = scratch.row.reserve(std::max(kPairWidth, kPairTile) * rows.cols);
    if (absolute()) return pack_pair_rows<true>(how, rows, begin, n, width, row, to, bound);
    pack_pair_rows<false>(how, rows, begin, n, width, row, to, bound);
  }

  // A few rows of b far from all others would widen everybody's bound: beyond 64 times the 99 % quantile they are never sure instead.
  double residual_limit(int64_t n, const std::vector<PairRowBound>& bound) {
    double* residual = scratch.numbers.reserve(n);
    for (int64_t j = 0; j < n; ++j) residual[j] = bound[j].usable ? bound[j].residual : 0;
    double* at = residual + (n - 1) * 99 / 100;
    std::nth_element(residual, at, residual + n);
    return 64 * *at;
  }

  void pack_others() {
    const int64_t n = b.rows;
    const int64_t padded = (n + kPairWidth - 1) / kPairWidth * kPairWidth;
    float* packed = scratch.others.reserve(padded * b.cols);
    float* start = scratch.start.reserve(padded);
    float* margin = scratch.margin.reserve(padded);
    std::vector<PairRowBound> bound(n);
    pack(b, 0, n, kPairWidth, !absolute(), packed, bound.data());
    const double limit = residual_limit(n, bound);
    for (int64_t j = 0; j < n; ++j) {
      PairRowBound& c = bound[j];
      c.usable = c.usable && c.residual <= limit;
      start[j] = bounds.start(c);
      margin[j] = bounds.margin(c);
      any_unusable = any_unusable || !c.usable;
      if (!c.usable) continue;
      bounds.other_norm = std::max(bounds.other_norm, c.norm);
      bounds.other_residual = std::max(bounds.other_residual, c.residual);
    }
    std::fill(start + n, start + padded, 0.0F);
    std::fill(margin + n, margin + padded, 0.0F);
  }

  void pack_queries() {
    pack(a, first, count, kPairTile, false, scratch.queries.reserve(kPairBlock * a.cols), query);
    double* wide = scratch.wide.reserve(kPairBlock * a.cols);
    for (int64_t i = 0; i < count; ++i) widen_row(a, first + i, wide + i * a.cols);
  }

  // op.begin() for each block of a, then op.found(i, j, bits, scores) for each panel with a score of row i at or below op.high[i]: bit v
  // means row j + v of b; then op.end().
  template <class Op>
  void run(Op& op) {
    HWY_ALIGN float scores[kPairTile * kPairWidth];
    const int64_t d = a.cols;
    if (b.rows == 0) return;
    pack_others();
    for (first = 0; first < a.rows; first += kPairBlock) {
      count = std::min(kPairBlock, a.rows - first);
      pack_queries();
      op.begin();
      for (int64_t j = 0; j < b.rows; j += kPairWidth) {
        const int64_t left = b.rows - j;
        const uint32_t real = left >= 32 ? ~uint32_t{0} : (uint32_t{1} << left) - 1;
        for (int64_t g = 0; g < count; g += kPairTile) {
          const float* queries = scratch.queries.data() + g * d;
          const float* others = scratch.others.data() + j * d;
          if (absolute()) {
            pair_tile<true>(queries, others, d, scratch.start.data() + j, scores);
          } else {
            pair_tile<false>(queries, others, d, scratch.start.data() + j, scores);
          }
          for (int64_t i = g; i < std::min(count, g + kPairTile); ++i) {
            const float* row = scores + (i - g) * kPairWidth;
            const uint32_t bits = scores_within(row, op.high[i]) & real;
            if (bits != 0) op.found(i, j, bits, row);
          }
        }
      }
      op.end();
    }
  }
};

// Pairs within a limit: what count and visit share.
struct PairLimit {
  PairSweep& sweep;
  double limit;
  float high[kPairBlock];
  float low[kPairBlock];

  void set_limits() {
    for (int64_t i = 0; i < sweep.count; ++i) {
      high[i] = sweep.bounds.above(sweep.query[i], limit);
      low[i] = sweep.bounds.below(sweep.query[i], limit);
    }
  }
  // The bits whose float64 distance is within the limit.
  uint32_t decide(int64_t i, int64_t j, uint32_t bits, const float* scores) const {
    const uint32_t sure = bits & scores_within(scores, sweep.margin() + j, low[i]);
    uint32_t in = sure;
    for (uint32_t open = bits & ~sure; open != 0; open &= open - 1) {
      const int v = std::countr_zero(open);
      if (sweep.exact(i, j + v) <= limit) in |= uint32_t{1} << v;
    }
    return in;
  }
};

struct PairCount : PairLimit {
  int64_t* counts;
  void begin() { set_limits(); }
  void found(int64_t i, int64_t j, uint32_t bits, const float* scores) {
    counts[sweep.first + i] += std::popcount(decide(i, j, bits, scores));
  }
  void end() {}
};

struct PairVisit : PairLimit {
  void* context;
  PairPlan::Hit hit;
  int64_t panels;
  uint32_t* bits_of = nullptr;  // [row of the block][panel]

  void begin() {
    set_limits();
    bits_of = sweep.scratch.bits.reserve(kPairBlock * panels);
    std::fill_n(bits_of, kPairBlock * panels, 0);
  }
  void found(int64_t i, int64_t j, uint32_t bits, const float* scores) {
    bits_of[i * panels + j / kPairWidth] = decide(i, j, bits, scores);
  }
  void end() {
    for (int64_t i = 0; i < sweep.count; ++i) {
      for (int64_t p = 0; p < panels; ++p) {
        for (uint32_t in = bits_of[i * panels + p]; in != 0; in &= in - 1) {
          hit(context, sweep.first + i, p * kPairWidth + std::countr_zero(in));
        }
      }
    }
  }
};

// Candidates of a row gather in a small list; when it is full, its k-th smallest score bounds the k-th distance and most of the list goes.
// So float64 distances are computed for little more than the k rows that stay.
struct PairNearest {
  PairSweep& sweep;
  int64_t b_first_row;
  int64_t a_first_row;
  int64_t k;
  double* distance;
  int64_t* index;
  int64_t capacity;
  float* scores_of;
  int32_t* rows_of;
  float high[kPairBlock];
  int64_t size[kPairBlock];

  void begin() {
    for (int64_t i = 0; i < sweep.count; ++i) {
      size[i] = 0;
      high[i] = kPairInfinity;
      tighten(i);
    }
  }

  // By the k-th exact distance so far.
  void tighten(int64_t i) {
    const double last = distance[(sweep.first + i) * k + k - 1];
    if (last < PairBounds::kInfinity) high[i] = std::min(high[i], sweep.bounds.above(sweep.query[i], last));
  }

  void insert(int64_t i, int64_t j) {
    const int64_t at = (sweep.first + i) * k;
    insert_nearest(sweep.exact(i, j), b_first_row + j, k, distance + at, index + at);
  }

  void found(int64_t i, int64_t j, uint32_t bits, const float* scores) {
    const int64_t self = a_first_row < 0 ? -1 : a_first_row + sweep.first + i - b_first_row;
    if (self >= j && self < j + kPairWidth) bits &= ~(uint32_t{1} << (self - j));
    if (sweep.any_unusable) bits = take_unusable(i, j, bits, scores);
    append_candidates(bits, scores, static_cast<int32_t>(j), scores_of + i * capacity + size[i], rows_of + i * capacity + size[i]);
    size[i] += std::popcount(bits);
    if (size[i] + kPairWidth <= capacity) return;
    shrink(i);
    if (size[i] + 2 * kPairWidth > capacity) flush(i);
  }

  // Rows that the filter knows nothing of are decided at once.
  uint32_t take_unusable(int64_t i, int64_t j, uint32_t bits, const float* scores) {
    for (uint32_t left = bits; left != 0; left &= left - 1) {
      const int v = std::countr_zero(left);
      if (scores[v] != -kPairInfinity) continue;
      insert(i, j + v);
      bits &= ~(uint32_t{1} << v);
    }
    return bits;
  }

  // Drops the candidates that k others surely precede.
  void shrink(int64_t i) {
    float* scores = scores_of + i * capacity;
    int32_t* rows = rows_of + i * capacity;
    if (size[i] > k) {
      float* bounds = sweep.scratch.best_bounds.data();
      bound_candidates(scores, rows, size[i], sweep.margin(), bounds);
      const double last = count_bisection(bounds, size[i], k);
      const PairRowBound& x = sweep.query[i];
      high[i] = std::min(high[i], sweep.bounds.above(x, sweep.bounds.reach(x, last + 0x1p-22 * std::fabs(last))));
    }
    size[i] = keep_candidates(scores, rows, size[i], high[i]);
  }

  void flush(int64_t i) {
    for (int64_t t = 0; t < size[i]; ++t) insert(i, rows_of[i * capacity + t]);
    size[i] = 0;
    tighten(i);
  }

  void end() {
    for (int64_t i = 0; i < sweep.count; ++i) {
      shrink(i);
      flush(i);
    }
  }
};

void CountPairs(const PairPlan& plan, const RowsView& a, const RowsView& b, double limit, int64_t* counts, PairScratch& scratch) {
  PairSweep sweep(plan, a, b, scratch);
  PairCount op{{sweep, limit, {}, {}}, counts};
  sweep.run(op);
}

void VisitPairs(const PairPlan& plan, const RowsView& a, const RowsView& b, double limit, void* context, PairPlan::Hit hit,
                PairScratch& scratch) {
  PairSweep sweep(plan, a, b, scratch);
  PairVisit op{{sweep, limit, {}, {}}, context, hit, (b.rows + kPairWidth - 1) / kPairWidth};
  sweep.run(op);
}

void NearestPairs(const PairPlan& plan, const RowsView& a, const RowsView& b, int64_t b_first_row, int64_t a_first_row, int64_t k,
                  double* distance, int64_t* index, PairScratch& scratch) {
  PairSweep sweep(plan, a, b, scratch);
  const int64_t capacity = (2 * k + 4 * kPairWidth) / kPairWidth * kPairWidth;  // vectors at its end stay inside
  scratch.best_bounds.reserve(capacity);
  PairNearest op{sweep,
                 b_first_row,
                 a_first_row,
                 k,
                 distance,
                 index,
                 capacity,
                 scratch.best_scores.reserve(kPairBlock * capacity),
                 scratch.best_rows.reserve(kPairBlock * capacity),
                 {},
                 {}};
  sweep.run(op);
}

}  // namespace HWY_NAMESPACE
}  // namespace sluice::kernels
HWY_AFTER_NAMESPACE();
#endif
