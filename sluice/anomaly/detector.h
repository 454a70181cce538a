// What all detectors share: the checks before a fit, and scores of a source's rows from a row-local score.
// A detector hands over an Outcome with `scores` (a number a row, higher is more anomalous), `score` (the same of any new row, which depends
// on that row and the model alone) and a model. Thresholds, p-values and reasons are made from these in threshold.h and explain.h.
#pragma once
#include <functional>
#include <optional>

#include "sluice/core/error.h"
#include "sluice/core/memory.h"
#include "sluice/core/outcome.h"

namespace sluice {

// Error{kBadInput} for no rows, no columns, or a value that is not finite.
void require_rows(const Source& rows);

// The rows have as many columns as the model was fitted on, and are clean; else Error{kBadInput}.
void require_columns(const Source& rows, int64_t fitted);

// Of each row, what thresholds and alerts are made from beside the detector: scores, p-values and sorted copies of them.
constexpr double kScoreBytes = 48;

// out.scores = out.score of every row of this rank.
void score_rows(Outcome& out, const Source& rows, Context& ctx);

// The same for a score that runs f on blocks of at most `block` rows, e.g. where it needs memory a row.
std::function<void(const MatrixBlock&, double*)> in_blocks(int64_t block, std::function<void(const MatrixBlock&, double*)> f);

// Runs f, which makes no collective call, on every rank alone with a context of one rank; all ranks fail alike if one throws.
template <class F>
void replicated(Context& ctx, const F& f) {
  std::optional<Error> error;
  Context alone = ctx;
  alone.comm = nullptr;
  try {
    f(alone);
  } catch (const Error& e) {
    error = e;
  }
  const LeafRange once{1, ctx.ranks(), ctx.rank(), ctx.rank() + 1, ctx.ranks()};
  for_each_leaf(once, ctx, [&](int, int64_t) {
    if (error) throw *error;
  });
}

// Runs body(worker, i) for i in [0, count) on the context's threads.
template <class F>
void for_each_index(int64_t count, Context& alone, const F& body) {
  for_each_leaf(LeafRange{1, count, 0, count, count}, alone, body);
}

}  // namespace sluice
