// Affinities of t-SNE: how likely a row picks each of its neighbours, the spread of every row's Gaussian set so that it has `perplexity`
// effective neighbours. Van der Maaten and Hinton 2008, equations 1 and 2.
#pragma once
#include <cstdint>
#include <vector>

#include "sluice/core/context.h"
#include "sluice/neighbors/knn.h"

namespace sluice {

// p[t] of k neighbours at the given distances: exp(-beta distance^2), of sum 1, beta such that the entropy is log(perplexity) to 1e-9. Where
// no beta reaches it (more than `perplexity` neighbours at the smallest distance) the nearest share alike. Cost: some 30 k exponentials.
void perplexity_weights(const double* distance, int64_t k, double perplexity, double* p);

// A symmetric matrix of joint probabilities, sum 1, compressed by rows, columns ascending; no diagonal.
struct Affinities {
  std::vector<int64_t> starts;  // n + 1
  std::vector<int32_t> columns;
  std::vector<double> values;
  int64_t rows() const { return static_cast<int64_t>(starts.size()) - 1; }
};

// (P + P^T) / (2 n) of the conditional probabilities of a neighbour graph. Memory: 12 bytes a pair, at most 2 n k of them, and 24 n k on the
// way. Runs on ctx.threads, on each rank alone; the same bits for any number of them.
Affinities joint_affinities(const Neighbors& graph, double perplexity, const Context& ctx);

// f(first, last) over blocks of [0, n), each once, on ctx.threads of this rank alone. What f writes it writes at its own rows.
void for_row_blocks(int64_t n, int64_t block, const Context& ctx, const std::function<void(int64_t first, int64_t last)>& f);

}  // namespace sluice
