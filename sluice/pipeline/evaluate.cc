#include "sluice/pipeline/evaluate.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "sluice/cluster/choose_k.h"
#include "sluice/io/labels.h"
#include "sluice/metrics/internal.h"
#include "sluice/pipeline/algorithm_command.h"
#include "sluice/pipeline/files.h"
#include "sluice/pipeline/measures.h"
#include "sluice/pipeline/output_dir.h"
#include "sluice/pipeline/page.h"
#include "sluice/pipeline/record.h"
#include "sluice/pipeline/row_files.h"

namespace sluice {
namespace {

void put_or_null(ResultKeys& result, const std::string& key, double value) {
  std::isfinite(value) ? result.put(key, value) : result.put(key, std::nullopt);
}

// The labels to judge as clusters 0, 1, ...; negative ones are noise.
std::vector<int32_t> clusters_of(const std::vector<int64_t>& labels) {
  std::vector<int64_t> distinct = labels;
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  std::erase_if(distinct, [](int64_t label) { return label < 0; });
  if (distinct.size() >= static_cast<size_t>(std::numeric_limits<int32_t>::max()))
    fail(ErrorCode::kBadInput, "--labels", "there are more than 2^31 clusters", "give fewer");
  std::vector<int32_t> out;
  out.reserve(labels.size());
  for (const int64_t label : labels) {
    out.push_back(label < 0 ? -1 : static_cast<int32_t>(std::lower_bound(distinct.begin(), distinct.end(), label) - distinct.begin()));
  }
  return out;
}

SilhouetteKind kind_of(const std::string& name) {
  if (name == "squared") return SilhouetteKind::kSquared;
  if (name == "cosine") return SilhouetteKind::kCosine;
  if (name == "euclidean") return SilhouetteKind::kEuclidean;
  fail(ErrorCode::kUsage, "--silhouette", "'" + name + "' is not a value for it", "give euclidean, squared or cosine");
}

// The same tail for both commands: the record, the page, the manifest.
Said finish(OutputDir& out, Outcome outcome, const Json& params, const Dataset& data, const Invocation& in, Context& ctx) {
  write_kept_rows(data, out.path("."), ctx);
  in.times->lap(in.command);
  Stage stage;
  stage.summary = summary_json(in.command, params, data, to_json(outcome.result));
  stage.page = page_of(outcome, in.command, stage.summary, data, ctx);
  stage.outcome = std::move(outcome);
  write_record(out, stage.summary, in, ctx);
  on_root(ctx, [&] { write_page(stage.page, out.path(".")); });
  out.commit(manifest_json(stage.summary, ctx, data.content, data.account));
  return {stage.summary, text_of(stage, out.dir())};
}

}  // namespace

Said evaluate_command(const Invocation& in, Context& ctx) {
  const auto params = params_from<EvaluateParams>(in.params);
  if (params.labels.empty()) fail(ErrorCode::kUsage, "evaluate", "it judges labels and got none", "give --labels LABELS.npy");
  const SilhouetteKind kind = kind_of(params.silhouette);
  LabelFile given;
  on_each(ctx, [&] { given = read_labels(params.labels); });
  OutputDir out(out_dir(in), in.overwrite, ctx);
  ctx.spool_dir = in.spool.empty() ? out.scratch() : in.spool;
  const Dataset data = open_dataset(in.input, ctx);
  in.times->lap("read");
  if (static_cast<int64_t>(given.values.size()) != data.account.in - data.account.rejected &&
      static_cast<int64_t>(given.values.size()) != data.rows->rows()) {
    fail(ErrorCode::kBadInput, params.labels,
         "it holds " + std::to_string(given.values.size()) + " labels for " + std::to_string(data.rows->rows()) + " rows",
         "give one label a row");
  }
  if (!data.kept.empty() && static_cast<int64_t>(given.values.size()) != data.rows->rows()) {
    std::vector<int64_t> left;
    for (const int64_t row : data.kept) left.push_back(given.values[static_cast<size_t>(row)]);
    given.values = std::move(left);
  }
  const std::vector<int32_t> all = clusters_of(given.values);
  Outcome outcome;
  outcome.labels.emplace(leaf_range(data.rows->rows(), data.rows->cols(), ctx), -1);
  for (int64_t i = outcome.labels->first_row(); i < outcome.labels->last_row(); ++i) (*outcome.labels)[i] = all[static_cast<size_t>(i)];
  const InternalMeasures measures = internal_measures(*data.rows, *outcome.labels, kind, ctx);
  put_or_null(outcome.result, "silhouette", measures.silhouette);
  outcome.result.put("silhouette_kind", params.silhouette);
  outcome.result.put("silhouette_rows", measures.silhouette_rows);
  put_or_null(outcome.result, "davies_bouldin", measures.davies_bouldin);
  put_or_null(outcome.result, "calinski_harabasz", measures.calinski_harabasz);
  outcome.result.put("wcss", measures.wcss);
  outcome.result.put("n_clusters", static_cast<int64_t>(measures.cluster_sizes.size()));
  outcome.result.put("n_noise", measures.n_noise);
  if (measures.n_noise > 0)
    outcome.notes.push_back(std::to_string(measures.n_noise) +
                            " rows labelled as noise are left out of silhouette, Davies-Bouldin, Calinski-Harabasz and WCSS");
  add_label_measures(outcome, data, ctx);
  return finish(out, std::move(outcome), params_json(param_infos<EvaluateParams>(), param_values(params)), data, in, ctx);
}

Said choose_k_command(const Invocation& in, Context& ctx) {
  const auto params = params_from<ChooseKParams>(in.params);
  OutputDir out(out_dir(in), in.overwrite, ctx);
  ctx.spool_dir = in.spool.empty() ? out.scratch() : in.spool;
  const Dataset data = open_dataset(in.input, ctx);
  in.times->lap("read");
  return finish(out, choose_k_run(*data.rows, params, ctx), params_json(param_infos<ChooseKParams>(), param_values(params)), data, in, ctx);
}

}  // namespace sluice
