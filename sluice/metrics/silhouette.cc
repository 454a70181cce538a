#include "sluice/metrics/silhouette.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "sluice/core/normalised.h"
#include "sluice/core/random.h"
#include "sluice/core/row_store.h"
#include "sluice/kernels/dist64.h"
#include "sluice/kernels/pairs.h"

namespace sluice {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// From the mean distances to all clusters, where that to the own one counts the row itself as a member at distance 0.
double row_value(const double* mean_distance, int64_t own, const std::vector<int64_t>& sizes) {
  const auto size = static_cast<double>(sizes[static_cast<size_t>(own)]);
  if (size < 2) return 0;
  const double a = std::max(0.0, mean_distance[own]) * (size / (size - 1));
  double b = std::numeric_limits<double>::infinity();
  for (int64_t c = 0; c < static_cast<int64_t>(sizes.size()); ++c) {
    if (c != own && sizes[static_cast<size_t>(c)] > 0) b = std::min(b, mean_distance[c]);
  }
  b = std::max(0.0, b);
  const double larger = std::max(a, b);
  return larger > 0 ? (b - a) / larger : 0;
}

// Closed forms: a row against the means.
class ClosedState {
 public:
  ClosedState(const Clusters& clusters, const Matrix<double>& means, const std::vector<double>& offset, bool cosine)
      : clusters_(&clusters), means_(&means), offset_(&offset), cosine_(cosine), sums_(clusters.count()) {}

  void accumulate(const MatrixBlock& leaf) {
    std::vector<double> scratch(static_cast<size_t>(leaf.cols));
    std::vector<double> distance(clusters_->sizes.size());
    const int32_t* number = clusters_->number.at(leaf.first_row);
    for (int64_t i = 0; i < leaf.rows; ++i) {
      const int32_t own = number[i];
      if (own < 0) continue;
      const double* row = leaf.row(i, scratch.data());
      for (int64_t c = 0; c < means_->rows; ++c) {
        distance[static_cast<size_t>(c)] =
            cosine_ ? 1 - kernels::dot(row, means_->row(c), leaf.cols)
                    : kernels::squared_distance(row, means_->row(c), leaf.cols) + (*offset_)[static_cast<size_t>(c)];
      }
      // A row has distance 0 to itself, which 1 - x . x is not for a row of zeros.
      if (cosine_)
        distance[static_cast<size_t>(own)] -=
            (1 - kernels::dot(row, row, leaf.cols)) / static_cast<double>(clusters_->sizes[static_cast<size_t>(own)]);
      sums_.add(own, row_value(distance.data(), own, clusters_->sizes));
    }
  }
  void merge(ClosedState&& other) { sums_.merge(other.sums_); }
  void save(ByteWriter& out) const { sums_.save(out); }
  void load(ByteReader& in) { sums_.load(in); }
  int64_t bytes() const { return sums_.bytes(); }
  const GroupSums& sums() const { return sums_; }

 private:
  const Clusters* clusters_;
  const Matrix<double>* means_;
  const std::vector<double>* offset_;
  bool cosine_;
  GroupSums sums_;
};

GroupSums closed_form(const Source& rows, const Clusters& clusters, bool cosine, Context& ctx) {
  std::unique_ptr<NormalisedSource> unit;
  if (cosine) unit = std::make_unique<NormalisedSource>(rows);
  const Source& used = cosine ? static_cast<const Source&>(*unit) : rows;
  const Matrix<double> means = cluster_means(used, clusters, ctx).mean;
  std::vector<double> offset(clusters.sizes.size());
  if (!cosine) {
    offset = cluster_scatter(used, clusters, means, ctx).squares;
    for (size_t c = 0; c < offset.size(); ++c) offset[c] /= static_cast<double>(clusters.sizes[c]);
  }
  return fold(used, [&] { return ClosedState(clusters, means, offset, cosine); }, ctx).sums();
}

// Every rank works on its share of chunks of rows against all rows. `number` is of all rows.
GroupSums over_pairs(const Source& rows, const std::vector<int32_t>& number, const std::vector<int64_t>& sizes, Context& ctx) {
  const auto k = static_cast<int64_t>(sizes.size());
  const int64_t chunk = std::clamp<int64_t>((int64_t{1} << 20) / k, 1, 256);
  LeafRange range = leaf_range(rows.rows(), rows.cols(), ctx);
  const int64_t block = range.rows_per_leaf;
  range.rows_per_leaf = chunk;
  range.leaves = (rows.rows() + chunk - 1) / chunk;
  range.first = range.leaves * ctx.rank() / ctx.ranks();
  range.last = range.leaves * (ctx.rank() + 1) / ctx.ranks();
  struct Worker {
    GroupSums sums;
    kernels::PairScratch scratch;
    BlockBuffer mine, theirs;
    std::vector<double> distance;
  };
  std::vector<std::unique_ptr<Worker>> workers(static_cast<size_t>(worker_count(ctx)));
  const kernels::PairPlan plan(kernels::Metric::kSquaredEuclidean, rows.cols(), nullptr, 0);
  for_each_leaf(range, ctx, [&](int worker, int64_t leaf) {
    auto& slot = workers[static_cast<size_t>(worker)];
    if (!slot) slot = std::make_unique<Worker>(Worker{GroupSums(k), {}, {}, {}, {}});
    Worker& w = *slot;
    const int64_t first = leaf * chunk;
    const MatrixBlock mine = rows.read(first, std::min(chunk, rows.rows() - first), w.mine);
    w.distance.assign(static_cast<size_t>(mine.rows * k), 0.0);
    for (int64_t other = 0; other < rows.rows(); other += block) {
      const MatrixBlock theirs = rows.read(other, std::min(block, rows.rows() - other), w.theirs);
      plan.distance_sums(mine.view(), theirs.view(), number.data() + other, k, w.distance.data(), w.scratch);
    }
    for (int64_t i = 0; i < mine.rows; ++i) {
      const int32_t own = number[static_cast<size_t>(first + i)];
      if (own < 0) continue;
      double* distance = w.distance.data() + i * k;
      for (int64_t c = 0; c < k; ++c) distance[c] /= static_cast<double>(sizes[static_cast<size_t>(c)]);
      w.sums.add(own, row_value(distance, own, sizes));
    }
  });
  GroupSums all(k);
  for (const auto& worker : workers) {
    if (worker) all.merge(worker->sums);
  }
  return add_over_ranks(std::move(all), k, ctx);
}

// The `most` rows that are not noise with the lowest random keys, in row order: a draw without replacement that no cut of the rows changes.
struct Drawn {
  uint64_t key;
  int64_t row;
  int64_t number;
};
std::vector<Drawn> draw(const Clusters& clusters, int64_t most, Context& ctx) {
  const auto before = [](const Drawn& a, const Drawn& b) { return a.key != b.key ? a.key < b.key : a.row < b.row; };
  std::vector<Drawn> heap;  // the largest on top
  const auto offer = [&](const Drawn& item) {
    if (static_cast<int64_t>(heap.size()) == most) {
      if (!before(item, heap.front())) return;
      std::pop_heap(heap.begin(), heap.end(), before);
      heap.back() = item;
    } else {
      heap.push_back(item);
    }
    std::push_heap(heap.begin(), heap.end(), before);
  };
  for (int64_t row = clusters.number.first_row(); row < clusters.number.last_row(); ++row) {
    const int32_t number = clusters.number[row];
    if (number >= 0) offer({Random(ctx.seed, RandomStage::kSilhouetteSample, static_cast<uint64_t>(row)).bits(), row, number});
  }
  if (ctx.ranks() > 1) {
    const std::vector<Drawn> mine = std::move(heap);
    heap.clear();
    for (const Bytes& part : ctx.comm->all_gather(std::as_bytes(std::span<const Drawn>(mine)))) {
      const auto* theirs = reinterpret_cast<const Drawn*>(part.data());
      for (size_t i = 0; i < part.size() / sizeof(Drawn); ++i) offer(theirs[i]);
    }
  }
  std::sort(heap.begin(), heap.end(), [](const Drawn& a, const Drawn& b) { return a.row < b.row; });
  return heap;
}

// What `over_pairs` works on when there are too many rows: the drawn ones, the same on every rank.
struct Sample {
  std::unique_ptr<Source> rows;
  std::vector<int32_t> number;
  std::vector<int64_t> sizes;
};
Sample sample(const Source& rows, const Clusters& clusters, int64_t most, Context& ctx) {
  Sample out;
  out.sizes.resize(clusters.sizes.size());
  RowStore store(rows.cols(), store_options(ctx));
  for (const Drawn& item : draw(clusters, most, ctx)) {
    store.append(read_row(rows, item.row).data());
    out.number.push_back(static_cast<int32_t>(item.number));
    ++out.sizes[static_cast<size_t>(item.number)];
  }
  out.rows = store.finish();
  return out;
}

}  // namespace

const char* name_of(SilhouetteKind kind) {
  return kind == SilhouetteKind::kSquared ? "squared" : kind == SilhouetteKind::kCosine ? "cosine" : "euclidean";
}

Silhouette silhouette(const Source& rows, const Clusters& clusters, SilhouetteKind kind, int64_t most_rows, Context& ctx) {
  require_clean(rows);
  Silhouette out;
  out.kind = kind;
  out.value = kNone;
  out.clusters.assign(clusters.sizes.size(), kNone);
  std::vector<int64_t> sizes = clusters.sizes;
  Sample few;
  if (kind == SilhouetteKind::kEuclidean && rows.rows() > most_rows && clusters.count() >= 2) {
    few = sample(rows, clusters, most_rows, ctx);
    sizes = few.sizes;
  }
  for (const int64_t size : sizes) out.rows += size;
  const auto used = static_cast<int64_t>(std::count_if(sizes.begin(), sizes.end(), [](int64_t size) { return size > 0; }));
  if (used < 2 || used >= out.rows) return out;
  const GroupSums sums = kind != SilhouetteKind::kEuclidean ? closed_form(rows, clusters, kind == SilhouetteKind::kCosine, ctx)
                         : few.rows                         ? over_pairs(*few.rows, few.number, sizes, ctx)
                                                            : over_pairs(rows, gather(clusters.number, ctx), sizes, ctx);
  out.value = sums.total() / static_cast<double>(out.rows);
  const std::vector<double> totals = sums.values();
  for (size_t c = 0; c < totals.size(); ++c) {
    if (sizes[c] > 0) out.clusters[c] = totals[c] / static_cast<double>(sizes[c]);
  }
  return out;
}

}  // namespace sluice
