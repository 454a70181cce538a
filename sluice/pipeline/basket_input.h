// From the words of a command to baskets: FIMI files, long tables of transaction and item, and ordinary tables whose cells become items.
#pragma once
#include "sluice/core/baskets.h"
#include "sluice/core/params.h"
#include "sluice/pipeline/input.h"
#include "sluice/pipeline/registry.h"
#include "sluice/preprocess/discretise.h"

namespace sluice {

enum class BasketLayout { kAuto, kLong, kTable };

struct BasketParams {
  std::string item_names;
  BasketLayout layout = BasketLayout::kAuto;
  int64_t n_bins = 5;
  BinStrategy strategy = BinStrategy::kQuantile;

  template <class Visitor>
  void describe(Visitor&& v) {
    v(item_names, "item_names", FilePath{}, "A CSV of item numbers and names, in its first two columns.");
    v(layout, "layout",
      Choices<BasketLayout>{{{"auto", BasketLayout::kAuto}, {"long", BasketLayout::kLong}, {"table", BasketLayout::kTable}}},
      "How a table holds baskets: long (an item a row, columns transaction and item), or a basket a row, items column=value; auto: by "
      "these "
      "two names.");
    v(n_bins, "n_bins", Range<int64_t>{2, 1000}, "Ranges that a numeric column of a table is cut into; with so few values each is one.");
    v(strategy, "strategy", Choices<BinStrategy>{{{"quantile", BinStrategy::kQuantile}, {"uniform", BinStrategy::kUniform}}},
      "Ranges of about as many rows each, or of equal width.");
  }
};

// Parameters of `given` that are these, and the others.
struct SplitParams {
  ParamTexts baskets, others;
};
SplitParams split_basket_params(const ParamTexts& given);

struct BasketData {
  BasketSet set;
  RowAccount account;   // of input rows
  int64_t columns = 0;  // of the table, or items
  std::string content;  // hash of the baskets, or of the table they came from
};

// Collective; every rank gets all baskets. Files named *.dat (also .gz, .zst) or --format dat are FIMI baskets; all else is a table, which
// goes the way of open_table. Of `all` the parameters above count, a miner's own may stand beside them. Options that mean nothing to the
// form are refused: Error{kUsage}. Other errors: the readers'.
BasketData open_baskets(const InputOptions& options, const ParamTexts& all, Context& ctx);

// The same from a table whose columns all count.
BasketData baskets_of(const Table& table, const ParamTexts& all, Context& ctx);

}  // namespace sluice
