#include "sluice/pipeline/make_command.h"

#include "sluice/pipeline/files.h"
#include "sluice/pipeline/make_data.h"
#include "sluice/pipeline/output_dir.h"
#include "sluice/pipeline/record.h"

namespace sluice {
namespace {

void write_data(const Made& made, OutputDir& out, Context& ctx) {
  const NpyWriter x(out.path("X.npy"), "<f8", made.x.rows, made.x.cols, ctx);
  const bool labelled = made.position.empty();
  const NpyWriter y(out.path("y.npy"), labelled ? "<i8" : "<f8", made.x.rows, 0, ctx);
  on_root(ctx, [&] {
    x.write(0, made.x.rows, made.x.values.data());
    labelled ? y.write(0, made.x.rows, made.labels.data()) : y.write(0, made.x.rows, made.position.data());
  });
}

void write_baskets(const Baskets& baskets, OutputDir& out, Context& ctx) {
  const auto lines = [](const std::vector<std::vector<int64_t>>& sets) {
    std::string text;
    for (const auto& set : sets) {
      for (size_t i = 0; i < set.size(); ++i) text += (i > 0 ? " " : "") + to_text(set[i]);
      text += '\n';
    }
    return text;
  };
  on_root(ctx, [&] {
    write_file(out.path("baskets.dat"), lines(baskets.transactions));
    write_file(out.path("patterns.dat"), lines(baskets.patterns));
  });
}

// The whole set is made in memory: the rows twice while they are shuffled, baskets as sets of items first.
void check_memory(const MakeParams& params, const Context& ctx) {
  const auto n = static_cast<double>(params.n_samples), d = static_cast<double>(params.n_features);
  double bytes = n * (2 * 8 * d + 24);
  if (params.kind == MadeKind::kMixtures) bytes = n * (8 * d + 16) + 8 * static_cast<double>(params.centers) * d * (d + 1);
  if (params.kind == MadeKind::kBaskets) bytes = n * (24 + 16 * params.items_per_basket);
  if (bytes <= static_cast<double>(ctx.memory)) return;
  fail(ErrorCode::kMemory, "make",
       "it takes about " + std::to_string(static_cast<int64_t>(bytes / 1e6)) + " MB and --memory allows " +
           std::to_string(ctx.memory / 1'000'000),
       "make fewer rows or columns, or allow more with --memory");
}

}  // namespace

Said make_command(const Invocation& in, Context& ctx) {
  if (!in.params.contains("kind"))
    fail(ErrorCode::kUsage, "make", "it was not said what to make",
         "sluice make blobs | moons | circles | swiss-roll | baskets | mixtures");
  const auto params = params_from<MakeParams>(in.params);
  if (!(params.center_box_min <= params.center_box_max))
    fail(ErrorCode::kUsage, "--center-box-max", "it is below --center-box-min", "give the larger number");
  check_memory(params, ctx);
  OutputDir out(out_dir(in), in.overwrite, ctx);
  Dataset data;
  Json result;
  if (params.kind == MadeKind::kBaskets) {
    const Baskets baskets = make_baskets(params, ctx.seed);
    write_baskets(baskets, out, ctx);
    result = {{"n_transactions", baskets.transactions.size()}, {"n_items", params.n_items}, {"n_patterns", params.n_patterns}};
    data.rows = std::make_shared<MemorySource>(std::vector<double>{}, 0, 0);
  } else {
    const Made made = make_data(params, ctx.seed);
    write_data(made, out, ctx);
    result = {{"rows", made.x.rows}, {"columns", made.x.cols}};
    data.rows = std::make_shared<MemorySource>(std::vector<double>{}, 0, 0);
  }
  const Json summary = summary_json("make", params_json(param_infos<MakeParams>(), param_values(params)), data, result);
  write_record(out, summary, in, ctx);
  out.commit(manifest_json(summary, ctx, "", data.account));
  const std::string what = params.kind == MadeKind::kBaskets ? "baskets.dat" : "X.npy and y.npy";
  return {summary, out.dir() + ": " + what + "\n"};
}

}  // namespace sluice
