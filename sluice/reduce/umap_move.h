// How points of a UMAP map move. Inside of umap.h; not for other use.
#pragma once
#include <cstdint>
#include <vector>

#include "sluice/core/matrix.h"
#include "sluice/core/random.h"

namespace sluice::detail {

struct UmapForces {
  double a = 1, b = 1;  // the curve
  double repulsion = 1;
};

// What moves a point in one epoch, in order: towards (attracts) or away from a place that stands still.
struct UmapStep {
  int32_t place;
  bool attracts;
};

// Points and the steps of each: those of point p are [ends[p - 1], ends[p]).
struct UmapMoves {
  std::vector<double> points;  // one after the other, `dims` values each; moved in place
  std::vector<int64_t> ends;
  std::vector<UmapStep> steps;
  void clear() {
    points.clear();
    ends.clear();
    steps.clear();
  }
};

// Takes every point along its steps: at each by rate * g, g being the gradient of the fuzzy cross entropy, no coordinate above 4.
//   attracts  -2 a b d^(2(b-1)) / (1 + a d^(2b)) * difference
//   repels     2 repulsion b / ((0.001 + d^2) (1 + a d^(2b))) * difference
// Points do not see each other move, so their order and number change no bit. Cost about 5 ns a step in two dimensions.
void umap_move(const UmapForces& forces, const Matrix<double>& places, double rate, UmapMoves& moves);

// Random numbers that are cheap: SplitMix64 (Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195) from a state drawn by name.
class UmapDraws {
 public:
  UmapDraws(uint64_t seed, uint64_t index) : state_(Random(seed, RandomStage::kUmapNegatives, index).bits()) {}
  int32_t below(uint64_t n) {
    state_ += 0x9E3779B97F4A7C15u;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    return static_cast<int32_t>((static_cast<unsigned __int128>(z) * n) >> 64);
  }

 private:
  uint64_t state_;
};

// When edges act: one of the largest weight in every epoch, one of a tenth of it in every tenth.
struct UmapSchedule {
  std::vector<double> period, next;
  // Of these weights, the largest being `most`.
  UmapSchedule(const std::vector<double>& weights, double most);
  // Whether edge e acts in `epoch`; asked once an epoch, in order.
  bool acts(size_t e, int64_t epoch) {
    if (next[e] > static_cast<double>(epoch)) return false;
    next[e] += period[e];
    return true;
  }
};

}  // namespace sluice::detail
