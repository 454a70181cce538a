#include "sluice/pipeline/basket_input.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <unordered_map>

#include "sluice/core/fold.h"
#include "sluice/core/statistics.h"
#include "sluice/io/baskets.h"
#include "sluice/io/format.h"
#include "sluice/io/input.h"
#include "sluice/pipeline/files.h"
#include "sluice/pipeline/table_commands.h"

namespace sluice {
namespace {

[[noreturn]] void refuse_option(const std::string& option, const std::string& why) {
  fail(ErrorCode::kUsage, "--" + option, "it means nothing to " + why, "leave it out");
}

// Whether all inputs are FIMI baskets; a mixture is refused.
bool are_baskets(const InputOptions& options) {
  int64_t baskets = 0;
  const std::vector<std::string> files = expand_inputs(options.inputs);
  for (const std::string& file : files) {
    const Format format = !options.read.format.empty() ? format_of_word(options.read.format)
                          : file == "-"                ? Format::kCsv
                                                       : format_of_name(file);
    baskets += format == Format::kBaskets;
  }
  if (baskets > 0 && baskets < static_cast<int64_t>(files.size()))
    fail(ErrorCode::kUsage, files.front(), "item baskets and tables are given together", "give one kind");
  return baskets > 0;
}

void refuse_table_options(const InputOptions& options, const ParamTexts& given) {
  const std::pair<const char*, bool> set[] = {{"columns", !options.columns.empty()},  {"exclude", !options.exclude.empty()},
                                              {"label", !options.label.empty()},      {"id", !options.id.empty()},
                                              {"array", !options.read.array.empty()}, {"encoding", !options.read.encoding.empty()},
                                              {"size", options.read.image_size != 0}, {"gray", options.read.gray},
                                              {"no-header", !options.read.header},    {"layout", given.contains("layout")},
                                              {"n-bins", given.contains("n_bins")},   {"strategy", given.contains("strategy")}};
  for (const auto& [option, there] : set) {
    if (there) refuse_option(option, "item baskets");
  }
}

void save(const BasketSet& set, ByteWriter& out) {
  out.put_all(std::span<const int64_t>(set.offsets));
  out.put_all(std::span<const int32_t>(set.items));
  out.put<uint64_t>(set.numbers.size());
  for (const std::string& number : set.numbers) out.put_text(number);
}

BasketSet load_baskets(const Bytes& bytes) {
  ByteReader in(bytes, "rank 0's baskets");
  BasketSet set;
  set.offsets = in.get_all<int64_t>();
  set.items = in.get_all<int32_t>();
  for (auto left = in.get<uint64_t>(); left > 0; --left) set.numbers.push_back(in.get_text());
  in.expect_end();
  return set;
}

// Hash of each leaf of baskets, those hashed again, and of the items' numbers.
std::string content_of(const BasketSet& set) {
  constexpr int64_t kLeaf = 4096;
  XXH3_state_t all;
  XXH3_128bits_reset(&all);
  for (int64_t at = 0; at < set.rows(); at += kLeaf) {
    const int64_t end = std::min(set.rows(), at + kLeaf);
    XXH3_state_t leaf;
    XXH3_128bits_reset(&leaf);
    for (int64_t i = at; i < end; ++i) {
      const auto basket = set.basket(i);
      const uint64_t size = basket.size();
      XXH3_128bits_update(&leaf, &size, sizeof size);
      XXH3_128bits_update(&leaf, basket.data(), basket.size_bytes());
    }
    const XXH128_hash_t digest = XXH3_128bits_digest(&leaf);
    XXH3_128bits_update(&all, &digest, sizeof digest);
  }
  for (const std::string& number : set.numbers) {
    const uint64_t size = number.size();
    XXH3_128bits_update(&all, &size, sizeof size);
    XXH3_128bits_update(&all, number.data(), number.size());
  }
  const XXH128_hash_t digest = XXH3_128bits_digest(&all);
  return content_hex({digest.low64, digest.high64});
}

// Names by the items' numbers, from the first two columns of a table of their own.
void name_items(BasketSet& set, const std::string& path, Context& ctx) {
  Context alone = ctx;
  alone.comm = nullptr;
  const Table table = read_table({path}, {}, store_options(alone), alone);
  if (table.columns.size() < 2) fail(ErrorCode::kBadInput, path, "it has one column", "give item numbers and names");
  std::unordered_map<std::string, size_t> item_of;
  for (size_t i = 0; i < set.numbers.size(); ++i) item_of.emplace(set.numbers[i], i);
  set.names.assign(set.numbers.size(), "");
  std::unordered_map<std::string, int64_t> seen;
  BlockBuffer buffer;
  std::vector<double> scratch(table.numbers == nullptr ? 0 : static_cast<size_t>(table.numbers->cols()));
  for (int64_t row = 0; row < table.rows; ++row) {
    const double* numbers = table.numbers == nullptr ? nullptr : table.numbers->read(row, 1, buffer).row(0, scratch.data());
    const auto cell = [&](size_t at) -> std::string {
      const TableColumn& column = table.columns[at];
      if (column.type == ColumnType::kText || column.beyond_double)
        return std::string(table.texts[static_cast<size_t>(column.index)]->at(row));
      const double value = numbers[column.index];
      return std::isnan(value) ? "" : column.type == ColumnType::kInteger ? to_text(static_cast<int64_t>(value)) : to_text(value);
    };
    const std::string number = cell(0);
    if (const auto [first, fresh] = seen.try_emplace(number, row); !fresh)
      fail(ErrorCode::kBadInput, path,
           "rows " + std::to_string(first->second) + " and " + std::to_string(row) + " both name item " + number, "name each item once");
    if (const auto found = item_of.find(number); found != item_of.end()) set.names[found->second] = cell(1);
  }
}

void finish(BasketData& data, const BasketParams& params, Context& ctx) {
  if (!params.item_names.empty()) on_each(ctx, [&] { name_items(data.set, params.item_names, ctx); });
  data.account.check();
}

}  // namespace

SplitParams split_basket_params(const ParamTexts& given) {
  SplitParams out;
  const std::vector<ParamInfo> mine = param_infos<BasketParams>();
  for (const auto& [name, text] : given) {
    const bool is_mine = std::any_of(mine.begin(), mine.end(), [&name = name](const ParamInfo& info) { return info.name == name; });
    (is_mine ? out.baskets : out.others)[name] = text;
  }
  return out;
}

BasketData baskets_of(const Table& table, const ParamTexts& all, Context& ctx) {
  const ParamTexts given = split_basket_params(all).baskets;
  const auto params = params_from<BasketParams>(given);
  BasketData data;
  data.content = table_content(table, ctx);
  data.account.in = table.rows + table.n_rejected();
  data.account.rejected = table.n_rejected();
  data.account.kept = table.rows;
  data.columns = static_cast<int64_t>(table.columns.size());
  int64_t transaction = -1, item = -1;
  for (size_t i = 0; i < table.columns.size(); ++i) {
    if (table.columns[i].name == "transaction") transaction = static_cast<int64_t>(i);
    if (table.columns[i].name == "item") item = static_cast<int64_t>(i);
  }
  const bool named = transaction >= 0 && item >= 0 && table.columns.size() == 2;
  const bool is_long = params.layout == BasketLayout::kLong || (params.layout == BasketLayout::kAuto && named);
  if (is_long && !named)
    fail(ErrorCode::kBadInput, "--layout", "a long table has the columns transaction and item, and no other", "choose and name them so");
  if (!is_long && !params.item_names.empty()) refuse_option("item-names", "a table, whose items are named column=value");
  if (is_long && (given.contains("n_bins") || given.contains("strategy"))) refuse_option("n-bins", "a long table");
  on_each(ctx, [&] {
    Context alone = ctx;  // every rank has the whole table, and makes all of it
    alone.comm = nullptr;
    data.set = is_long ? long_baskets(table, transaction, item, alone) : table_baskets(table, params.n_bins, params.strategy, alone);
  });
  finish(data, params, ctx);
  return data;
}

BasketData open_baskets(const InputOptions& options, const ParamTexts& all, Context& ctx) {
  const ParamTexts given = split_basket_params(all).baskets;
  const auto params = params_from<BasketParams>(given);
  bool fimi = false;
  on_each(ctx, [&] { fimi = are_baskets(options); });
  if (!fimi) return baskets_of(feature_table(open_table(options, ctx), options), given, ctx);
  refuse_table_options(options, given);
  BasketData data;
  Bytes message;
  on_root(ctx, [&] {
    data.set = read_basket_files(expand_inputs(options.inputs), ctx);
    if (ctx.ranks() == 1) return;
    ByteWriter out;
    save(data.set, out);
    message = out.take();
  });
  if (ctx.ranks() > 1) {
    ctx.comm->broadcast(message, 0);
    on_each(ctx, [&] { data.set = load_baskets(message); });
  }
  data.content = content_of(data.set);
  data.account.in = data.account.kept = data.set.rows();
  data.columns = data.set.n_items();
  finish(data, params, ctx);
  return data;
}

}  // namespace sluice
