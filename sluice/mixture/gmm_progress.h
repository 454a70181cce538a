// How far a fit has come: what a checkpoint keeps. Not for other use.
#pragma once
#include <functional>
#include <limits>

#include "sluice/mixture/gmm.h"

namespace sluice::mixture {

// One start, or the best of some.
struct Reached {
  GmmModel model;  // no means: not begun
  double bound = -std::numeric_limits<double>::infinity();
  int64_t n_iter = 0;
  bool converged = false;
  int64_t restarted = 0;
  double compared = -std::numeric_limits<double>::infinity();  // the bound the next step is compared with; -infinity after a restart

  bool begun() const { return !model.means.empty(); }
};

struct Progressed {
  int64_t k = 1;  // components being fitted
  int64_t start = 0;
  Reached now, best_start, best;  // best: of all k that are done
  std::vector<double> bics, aics;

  Bytes save() const;
  // Throws Error{kBadModel} when the bytes cannot be of such a fit.
  void load(const Bytes& bytes, CovarianceType type, int64_t first_k, int64_t last_k, const std::function<int64_t(int64_t k)>& starts_of,
            int64_t max_iter, int64_t d);
};

}  // namespace sluice::mixture
