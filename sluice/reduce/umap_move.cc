#include "sluice/reduce/umap_move.h"

#include <array>

#include "sluice/kernels/power.h"

namespace sluice::detail {
namespace {

constexpr double kMostStep = 4;      // of a coordinate, before the rate
constexpr double kLeast = 1e-200;    // squared distances below it count as it: at 0 the difference is 0 anyhow
constexpr double kRepelFrom = 1e-3;  // keeps the repulsion finite

constexpr int kLanes = 16;  // enough to keep the processor busy while one step waits for the other
using kernels::Four;
using kernels::four;
using kernels::FourBits;
using Lanes = std::array<Four, kLanes / 4>;

// Points on their way, side by side. Lanes without a point stand on their target, where nothing moves them.
class Travellers {
 public:
  Travellers(const UmapForces& forces, const Matrix<double>& places, double rate, UmapMoves& moves)
      : forces_(forces),
        places_(places),
        rate_(rate),
        moves_(moves),
        dims_(places.cols),
        at_(static_cast<size_t>(dims_)),
        apart_(at_.size()) {}

  void run() {
    for (int l = 0; l < kLanes; ++l) board(l);
    while (travelling_ > 0) {
      look();
      pull();
      for (int l = 0; l < kLanes; ++l) {
        if (point_[l] >= 0 && ++step_[l] == moves_.ends[static_cast<size_t>(point_[l])]) {
          leave(l);
          board(l);
        }
      }
    }
  }

 private:
  // The next point with anything to do takes lane l.
  void board(int l) {
    while (next_ < static_cast<int64_t>(moves_.ends.size())) {
      const int64_t p = next_++;
      const int64_t first = p == 0 ? 0 : moves_.ends[static_cast<size_t>(p - 1)];
      if (first == moves_.ends[static_cast<size_t>(p)]) continue;
      point_[l] = p;
      step_[l] = first;
      for (int64_t c = 0; c < dims_; ++c) at_[static_cast<size_t>(c)][l / 4][l % 4] = moves_.points[static_cast<size_t>(p * dims_ + c)];
      ++travelling_;
      return;
    }
    point_[l] = -1;
  }
  void leave(int l) {
    for (int64_t c = 0; c < dims_; ++c)
      moves_.points[static_cast<size_t>(point_[l] * dims_ + c)] = at_[static_cast<size_t>(c)][l / 4][l % 4];
    --travelling_;
  }

  // Differences to the places of all lanes' steps.
  void look() {
    for (int l = 0; l < kLanes; ++l) {
      if (point_[l] < 0) {
        for (Lanes& apart : apart_) apart[l / 4][l % 4] = 0;
        continue;
      }
      const UmapStep& step = moves_.steps[static_cast<size_t>(step_[l])];
      const double* place = places_.row(step.place);
      for (size_t c = 0; c < at_.size(); ++c) apart_[c][l / 4][l % 4] = at_[c][l / 4][l % 4] - place[c];
      attracts_[l / 4][l % 4] = step.attracts ? -1 : 0;
    }
  }

  void pull() {
    for (int half = 0; half < kLanes / 4; ++half) {
      Four square{};
      for (const Lanes& apart : apart_) square = kernels::fma4(apart[half], apart[half], square);
      square = square < four(kLeast) ? four(kLeast) : square;
      const Four power = kernels::power4(square, forces_.b);
      const FourBits attracts = attracts_[half];
      const Four top = attracts ? power * (-2 * forces_.a * forces_.b) : four(2 * forces_.repulsion * forces_.b);
      const Four from = attracts ? square : square + kRepelFrom;
      const Four factor = top / (from * (1.0 + forces_.a * power));
      for (size_t c = 0; c < at_.size(); ++c) {
        Four step = factor * apart_[c][half];
        step = step < four(-kMostStep) ? four(-kMostStep) : step;
        step = step > four(kMostStep) ? four(kMostStep) : step;
        at_[c][half] += step * rate_;
      }
    }
  }

  const UmapForces& forces_;
  const Matrix<double>& places_;
  double rate_;
  UmapMoves& moves_;
  int64_t dims_;
  int64_t next_ = 0;
  int travelling_ = 0;
  std::vector<Lanes> at_, apart_;
  std::array<FourBits, kLanes / 4> attracts_{};  // -1 or 0, as wide as the numbers it chooses between
  std::array<int64_t, kLanes> point_{}, step_{};
};

}  // namespace

void umap_move(const UmapForces& forces, const Matrix<double>& places, double rate, UmapMoves& moves) {
  Travellers(forces, places, rate, moves).run();
}

UmapSchedule::UmapSchedule(const std::vector<double>& weights, double most) : period(weights.size()) {
  for (size_t e = 0; e < weights.size(); ++e) period[e] = most / weights[e];
  next = period;
}

}  // namespace sluice::detail
