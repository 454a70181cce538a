#include "sluice/reduce/affinities.h"

#include <algorithm>
#include <cmath>

#include "sluice/core/fold.h"
#include "sluice/core/math.h"

namespace sluice {

void for_row_blocks(int64_t n, int64_t block, const Context& ctx, const std::function<void(int64_t, int64_t)>& f) {
  Context alone = ctx;
  alone.comm = nullptr;
  const int64_t blocks = (n + block - 1) / block;
  for_each_leaf({block, blocks, 0, blocks, n}, alone, [&](int, int64_t b) { f(b * block, std::min(n, (b + 1) * block)); });
}

void perplexity_weights(const double* distance, int64_t k, double perplexity, double* p) {
  constexpr int kMostSteps = 200;
  constexpr double kTolerance = 1e-9;
  double least = distance[0] * distance[0], mean = 0;
  for (int64_t t = 0; t < k; ++t) least = std::min(least, distance[t] * distance[t]);
  for (int64_t t = 0; t < k; ++t) mean += (distance[t] * distance[t] - least) / static_cast<double>(k);
  const double wanted = log64(perplexity);
  double beta = mean > 0 ? 1 / mean : 1, low = 0, high = 0, sum = 0;
  if (!std::isfinite(beta)) beta = 1;  // squares that are all but equal
  for (int step = 0; step < kMostSteps; ++step) {
    double weighted = 0;
    sum = 0;
    for (int64_t t = 0; t < k; ++t) {
      const double beyond = beta * (distance[t] * distance[t] - least);
      p[t] = exp64(-beyond);
      sum += p[t];
      weighted += beyond * p[t];
    }
    const double excess = log64(sum) + weighted / sum - wanted;
    if (std::fabs(excess) < kTolerance) break;
    (excess > 0 ? low : high) = beta;
    const double next = high == 0 ? 2 * beta : low + (high - low) / 2;
    if (!(next > 0x1p-1000) || !(next < 0x1p1010) || next == beta) break;
    beta = next;
  }
  for (int64_t t = 0; t < k; ++t) p[t] /= sum;
}

namespace {

constexpr int64_t kBlock = 256;

// What row i says of its neighbours, columns ascending.
struct Conditional {
  std::vector<int32_t> columns;  // n x k
  std::vector<double> values;
};

Conditional conditional(const Neighbors& graph, double perplexity, const Context& ctx) {
  const int64_t k = graph.k;
  Conditional all{std::vector<int32_t>(graph.indices.size()), std::vector<double>(graph.indices.size())};
  for_row_blocks(graph.rows(), kBlock, ctx, [&](int64_t first, int64_t last) {
    std::vector<double> p(static_cast<size_t>(k));
    std::vector<std::pair<int64_t, double>> row(static_cast<size_t>(k));
    for (int64_t i = first; i < last; ++i) {
      perplexity_weights(graph.distance(i), k, perplexity, p.data());
      for (int64_t t = 0; t < k; ++t) row[static_cast<size_t>(t)] = {graph.row(i)[t], p[static_cast<size_t>(t)]};
      std::sort(row.begin(), row.end());
      for (int64_t t = 0; t < k; ++t) {
        all.columns[static_cast<size_t>(i * k + t)] = static_cast<int32_t>(row[static_cast<size_t>(t)].first);
        all.values[static_cast<size_t>(i * k + t)] = row[static_cast<size_t>(t)].second;
      }
    }
  });
  return all;
}

// Who has row j among its neighbours, and where it says so: entries of the conditional matrix by column, ascending.
struct Transposed {
  std::vector<int64_t> starts;
  std::vector<int64_t> entries;
};

Transposed transpose(const Conditional& p, int64_t n) {
  Transposed out;
  out.starts.assign(static_cast<size_t>(n + 1), 0);
  for (const int32_t column : p.columns) ++out.starts[static_cast<size_t>(column) + 1];
  for (size_t j = 0; j < static_cast<size_t>(n); ++j) out.starts[j + 1] += out.starts[j];
  out.entries.resize(p.columns.size());
  std::vector<int64_t> at(out.starts.begin(), out.starts.end() - 1);
  for (size_t e = 0; e < p.columns.size(); ++e) {
    out.entries[static_cast<size_t>(at[static_cast<size_t>(p.columns[e])]++)] = static_cast<int64_t>(e);
  }
  return out;
}

// put(column, sum of both ways) for row i, columns ascending.
template <class Put>
void merge_row(const Conditional& p, const Transposed& back, int64_t i, int64_t k, Put&& put) {
  int64_t a = i * k, b = back.starts[static_cast<size_t>(i)];
  const int64_t a_end = a + k, b_end = back.starts[static_cast<size_t>(i) + 1];
  while (a < a_end || b < b_end) {
    const int64_t e = b < b_end ? back.entries[static_cast<size_t>(b)] : 0;
    const int64_t mine = a < a_end ? p.columns[static_cast<size_t>(a)] : INT64_MAX;
    const int64_t theirs = b < b_end ? e / k : INT64_MAX;
    double sum = 0;
    if (mine <= theirs) sum = p.values[static_cast<size_t>(a++)];
    if (theirs <= mine) sum += p.values[static_cast<size_t>(e)], ++b;
    put(std::min(mine, theirs), sum);
  }
}

}  // namespace

Affinities joint_affinities(const Neighbors& graph, double perplexity, const Context& ctx) {
  const int64_t n = graph.rows(), k = graph.k;
  const Conditional p = conditional(graph, perplexity, ctx);
  const Transposed back = transpose(p, n);
  Affinities joint;
  joint.starts.assign(static_cast<size_t>(n + 1), 0);
  for_row_blocks(n, kBlock, ctx, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) merge_row(p, back, i, k, [&](int64_t, double) { ++joint.starts[static_cast<size_t>(i) + 1]; });
  });
  for (size_t i = 0; i < static_cast<size_t>(n); ++i) joint.starts[i + 1] += joint.starts[i];
  joint.columns.resize(static_cast<size_t>(joint.starts.back()));
  joint.values.resize(joint.columns.size());
  const double all = 2 * static_cast<double>(n);
  for_row_blocks(n, kBlock, ctx, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      auto at = static_cast<size_t>(joint.starts[static_cast<size_t>(i)]);
      merge_row(p, back, i, k, [&](int64_t column, double sum) {
        joint.columns[at] = static_cast<int32_t>(column);
        joint.values[at++] = sum / all;
      });
    }
  });
  return joint;
}

}  // namespace sluice
