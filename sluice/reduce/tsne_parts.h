// What the parts of t-SNE share. Not for other use.
#pragma once
#include <functional>

#include "sluice/core/fold.h"
#include "sluice/reduce/tsne.h"

namespace sluice::detail {

constexpr int64_t kExactRows = 3000;  // up to here repulsion is summed over all pairs

bool by_grid(TsneMethod method, int64_t rows, int64_t dims);

// Runs the same work on every rank; an error of one is thrown on all. Inside, nothing may be collective.
inline void on_every_rank(Context& ctx, const std::function<void()>& work) {
  for_each_leaf({1, ctx.ranks(), ctx.rank(), ctx.rank() + 1, ctx.ranks()}, ctx, [&](int, int64_t) { work(); });
}

}  // namespace sluice::detail
