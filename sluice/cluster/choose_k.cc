#include "sluice/cluster/choose_k.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "sluice/cluster/kmeans.h"
#include "sluice/cluster/kmeans_init.h"
#include "sluice/core/math.h"
#include "sluice/core/random.h"
#include "sluice/metrics/silhouette.h"

namespace sluice {
namespace {

constexpr int64_t kUsualMost = 16;
constexpr int64_t kAloneValues = 2'000'000;
constexpr int64_t kExtendedMost = 32;
constexpr int64_t kTestColumns = 128;  // more are reduced to so many principal axes first
constexpr int64_t kSilhouetteSample = 2000;
constexpr int64_t kSplitReferences = 24;
constexpr int64_t kSplitStarts = 6;
constexpr int64_t kSplitAhead = 4;
constexpr double kGapErrors = 1.5;  // a gap within so many standard errors of the largest is as good

// At most `most` rows, drawn by seed without replacement (Floyd's method), in row order; the same on every rank.
Matrix<double> sampled(const Source& rows, int64_t most, Context& ctx) {
  std::set<int64_t> chosen;
  const int64_t n = rows.rows();
  if (n > most) {
    Random random(ctx.seed, RandomStage::kSubsample, 0);
    for (int64_t j = n - most; j < n; ++j) {
      const auto t = static_cast<int64_t>(random.below(static_cast<uint64_t>(j + 1)));
      if (!chosen.insert(t).second) chosen.insert(j);
    }
  }
  Matrix<double> out(std::min(n, most), rows.cols());
  if (n <= most) {
    for (int64_t i = 0; i < n; ++i) {
      const std::vector<double> row = read_row(rows, i);
      std::copy(row.begin(), row.end(), out.row(i));
    }
  } else {
    int64_t i = 0;
    for (const int64_t number : chosen) {
      const std::vector<double> row = read_row(rows, number);
      std::copy(row.begin(), row.end(), out.row(i++));
    }
  }
  return reduced_columns(out, kTestColumns);
}

int64_t starts_for(const Source& rows, int64_t k, const ChooseKParams& params) {
  if (params.n_init) return *params.n_init;
  const double work = static_cast<double>(rows.rows()) * static_cast<double>(rows.cols()) * static_cast<double>(k);
  return work <= 1e6 ? 10 : work <= 1e7 ? 4 : work <= 1e8 ? 2 : 1;
}

void sweep(const Source& rows, const ChooseKParams& params, int64_t first, int64_t last, ChooseKResult& out, Context& ctx) {
  Context quiet = ctx;  // one checkpoint and one progress line for many fits would mix them up
  quiet.progress = nullptr;
  quiet.checkpoints = nullptr;
  // Small data is swept by every rank for itself: the same bits, without thousands of messages.
  const bool alone = rows.rows() * rows.cols() <= kAloneValues;
  if (alone) quiet.comm = nullptr;
  const auto one = [&](int64_t k) {
    KMeansParams kmeans;
    kmeans.n_clusters = k;
    kmeans.n_init = k == 1 ? 1 : starts_for(rows, k, params);
    const KMeansFit fit = kmeans_fit(rows, kmeans, {}, quiet);
    out.k.push_back(k);
    out.wcss.push_back(fit.inertia);
    const Silhouette s = silhouette(rows, clusters_of(fit.labels, quiet), SilhouetteKind::kEuclidean, kSilhouetteSample, quiet);
    out.silhouette.push_back(s.value);
    out.silhouette_rows = s.rows;
    ctx.step(k, "k = " + std::to_string(k));
  };
  for (int64_t k = first; k <= last; ++k) alone ? on_every_rank(ctx, [&] { one(k); }) : one(k);
}

// The best partitions of the sample: more starts than the test's, so that no gap is lost to a bad one.
std::vector<double> best_curve(const Matrix<double>& sample, const std::vector<int64_t>& ks, const ChooseKParams& params, Context& ctx) {
  const double size = static_cast<double>(sample.rows) * static_cast<double>(sample.cols);
  const int64_t starts = params.n_init.value_or(size <= 3e4 ? 20 : 5);
  return log_wcss(sample, ks, starts, ctx.seed, ctx);
}

std::vector<int32_t> labels_at(const Matrix<double>& sample, int64_t k, int64_t starts, Context& ctx) {
  Context alone;
  alone.seed = ctx.seed;
  alone.stop = ctx.stop;
  MemorySource source(DType::kF64, sample.values.data(), sample.rows, sample.cols, sample.cols, nullptr);
  source.stats = measure(source, alone);
  KMeansParams params;
  params.n_clusters = k;
  params.n_init = starts;
  std::vector<int32_t> labels;
  on_every_rank(ctx, [&] { labels = gather(kmeans_fit(source, params, {}, alone).labels, alone); });
  return labels;
}

// Step 3: the place of the largest gap in the list of k.
size_t by_gap(const std::vector<double>& gap, size_t first) {
  size_t best = first;
  for (size_t i = first; i < gap.size(); ++i) {
    if (gap[i] > gap[best]) best = i;
  }
  return best;
}

// Is the gap at the last k clearly above that two before? Then the most may lie beyond.
bool still_rising(const ChooseKResult& found) {
  const size_t last = found.gap.size() - 1;
  return last >= 2 && found.gap[last] - found.gap[last - 2] > kGapErrors * found.gap_se[last];
}

// Step 4. `gap` and `se` begin at k_min.
int64_t lowered(const Matrix<double>& sample, const std::vector<double>& curve, const ChooseKResult& found, int64_t k,
                const ChooseKParams& params, Context& ctx) {
  const double limit = inverse_normal(1 - params.level);
  const int64_t top = k;
  const auto at = [&](int64_t clusters) { return static_cast<size_t>(clusters - params.k_min); };
  for (; k > std::max<int64_t>(2, params.k_min); --k) {
    if (found.gap[at(k - 1)] < found.gap[at(top)] - kGapErrors * found.gap_se[at(top)]) break;
    std::vector<int64_t> beyond;
    std::vector<double> values{curve[static_cast<size_t>(k - 2)]};
    for (int64_t more = k; more <= std::min(top, k - 1 + kSplitAhead); ++more) {
      beyond.push_back(more);
      values.push_back(curve[static_cast<size_t>(more - 1)]);
    }
    const std::vector<int32_t> labels = labels_at(sample, k - 1, kSplitStarts, ctx);
    if (split_excess(sample, labels, k - 1, beyond, values, kSplitReferences, kSplitStarts, ctx) > limit) break;
    ctx.step(k, "k = " + std::to_string(k - 1) + " explains the rest");
  }
  return k;
}

std::string rounded(double x) {
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, x, std::chars_format::fixed, 2).ptr};
}

void explain(ChooseKResult& out, double level) {
  if (out.nulls.empty()) {
    out.reason =
        out.k.back() < 2 ? "no cluster structure could be found: only k = 1 was tried" : "no cluster structure: all rows are equal";
    return;
  }
  const std::string numbers = "the k-means curve lies " + rounded(out.excess) + " deviations beyond what is usual for data that is " +
                              name_of(out.null) + ", and " + rounded(out.limit) + " are needed at level " + to_text(level);
  if (!out.n_clusters) {
    out.reason = "no cluster structure: " + numbers;
    return;
  }
  const auto at = static_cast<size_t>(std::find(out.k.begin(), out.k.end(), *out.n_clusters) - out.k.begin());
  out.reason = std::to_string(*out.n_clusters) + " clusters: " + numbers + "; the gap at " + std::to_string(*out.n_clusters) + " is " +
               rounded(out.gap[at]) + " with a standard error of " + rounded(out.gap_se[at]);
  size_t best = 0;
  for (size_t i = 0; i < out.k.size(); ++i) {
    if (out.silhouette[i] > out.silhouette[best] || std::isnan(out.silhouette[best])) best = i;
  }
  if (out.silhouette[best] == out.silhouette[best]) {
    out.reason += "; the silhouette, " + rounded(out.silhouette[at]) + " there, is largest at " + std::to_string(out.k[best]) + " with " +
                  rounded(out.silhouette[best]);
  }
}

// Everything the test found, cut to the k that are reported.
void put_test(const StructureTest& test, const std::vector<double>& curve, int64_t k_min, ChooseKResult& out) {
  out.limit = test.limit;
  out.nulls = test.nulls;
  out.gap.clear(), out.gap_se.clear(), out.null_band.clear();
  if (test.nulls.empty()) {
    out.gap.assign(out.k.size(), 0.0);
    out.gap_se = out.null_band = out.gap;
    return;
  }
  const NullVerdict& null = test.nulls[test.decisive];
  out.null = null.kind;
  out.excess = null.excess;
  const double wider = std::sqrt(1 + 1 / static_cast<double>(null.references));
  for (auto i = static_cast<size_t>(k_min - 1); i < curve.size(); ++i) {
    out.gap.push_back(null.mean[i] - curve[i]);
    out.gap_se.push_back(null.deviation[i] * wider);
    out.null_band.push_back(null.deviation[i] * wider * test.limit);
  }
}

}  // namespace

ChooseKResult choose_k(const Source& rows, const ChooseKParams& params, Context& ctx) {
  require_clean(rows);
  if (rows.cols() < 1) fail(ErrorCode::kBadInput, "columns", "there is no numeric column to cluster by", "name some with --columns");
  if (rows.rows() < 1) fail(ErrorCode::kBadInput, "rows", "there are no rows", "give some");
  int64_t k_max = params.k_max.value_or(std::max(params.k_min, std::min(kUsualMost, rows.rows())));
  if (k_max < params.k_min)
    fail(ErrorCode::kUsage, "--k-max", std::to_string(k_max) + " is below k_min", "give at least " + std::to_string(params.k_min));
  if (k_max > rows.rows())
    fail(ErrorCode::kBadInput, "k_max", std::to_string(k_max) + " clusters of " + std::to_string(rows.rows()) + " rows",
         "ask for at most as many clusters as rows");
  ChooseKResult out;
  ctx.stage("choose k", k_max);
  sweep(rows, params, params.k_min, k_max, out, ctx);
  const Matrix<double> sample = sampled(rows, params.sample, ctx);
  out.sample_rows = sample.rows;
  ctx.stage("structure test");
  StructureTest test = structure_test(sample, k_max, params.n_refs, params.level, ctx);
  std::vector<double> curve = best_curve(sample, test.k, params, ctx);
  put_test(test, curve, params.k_min, out);
  if (test.structured) {
    const auto first = static_cast<size_t>(std::max<int64_t>(2, params.k_min) - params.k_min);
    int64_t k = out.k[by_gap(out.gap, first)];
    const bool small = rows.rows() * rows.cols() <= 20'000 && rows.rows() >= 4 * kExtendedMost;
    if (!params.k_max && k >= k_max - 1 && k_max == kUsualMost && small && still_rising(out)) {
      sweep(rows, params, k_max + 1, kExtendedMost, out, ctx);
      test = structure_test(sample, kExtendedMost, params.n_refs, params.level, ctx);
      curve = best_curve(sample, test.k, params, ctx);
      put_test(test, curve, params.k_min, out);
      k = out.k[by_gap(out.gap, first)];
    }
    out.n_clusters = lowered(sample, curve, out, k, params, ctx);
  }
  explain(out, params.level);
  return out;
}

Outcome choose_k_run(const Source& rows, const ChooseKParams& params, Context& ctx) {
  const ChooseKResult found = choose_k(rows, params, ctx);
  Outcome out;
  if (found.n_clusters) {
    out.result.put("n_clusters", *found.n_clusters);
  } else {
    out.result.put("n_clusters", std::nullopt);
  }
  out.result.put("structure", found.n_clusters.has_value());
  out.result.put("k", found.k);
  out.result.put("wcss", found.wcss);
  out.result.put("silhouette", found.silhouette);
  out.result.put("gap", found.gap);
  out.result.put("gap_se", found.gap_se);
  out.result.put("excess", found.excess);
  out.result.put("limit", found.limit);
  out.result.put("null", name_of(found.null));
  std::string nulls;
  for (const NullVerdict& null : found.nulls) {
    nulls += (nulls.empty() ? "" : ",") + std::string("{\"excess\":") + json_number(null.excess) +
             ",\"null\":" + json_quoted(name_of(null.kind)) + ",\"references\":" + to_text(null.references) + "}";
  }
  out.result.put_json("nulls", "[" + nulls + "]");
  out.result.put("sample_rows", found.sample_rows);
  out.result.put("silhouette_rows", found.silhouette_rows);
  out.result.put("reason", found.reason);
  out.notes.push_back(found.reason);
  const std::vector<double> x(found.k.begin(), found.k.end());
  std::optional<double> marked;
  if (found.n_clusters) marked = static_cast<double>(*found.n_clusters);
  out.figures.push_back(
      {"Within-cluster squares", "k", "WCSS", "Falls with every k; how fast is the question.", {{"WCSS", x, found.wcss, {}, {}}}, marked});
  out.figures.push_back({"Silhouette", "k", "silhouette", "Not defined at k = 1.", {{"silhouette", x, found.silhouette, {}, {}}}, marked});
  std::vector<double> low, high;
  for (const double band : found.null_band) low.push_back(-band), high.push_back(band);
  out.figures.push_back({"Gap",
                         "k",
                         "gap",
                         std::string("Against data that is ") + name_of(found.null) + "; such data stays in the band.",
                         {{"gap", x, found.gap, {}, {}}, {"no structure", x, std::vector<double>(x.size()), low, high}},
                         marked});
  return out;
}

}  // namespace sluice
