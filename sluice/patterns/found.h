// Found sets and rules as text: the lines of itemsets.csv and rules.csv, and names for people. Of use inside this folder.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/patterns/mining.h"
#include "sluice/patterns/rules.h"

namespace sluice {

// Everything a finished run holds; the files are written from it later.
struct Found {
  Found(int64_t roots, int64_t most, const Context& ctx) : store(roots, most, ctx) {}
  ItemsetStore store;
  int64_t rows = 0;
  int64_t min_length = 1, max_length = int64_t{1} << 40;  // of listed sets
  std::vector<int32_t> item;                              // by rank
  std::vector<std::string> number, name;                  // by rank; names are numbers where there are none
  std::vector<uint8_t> listed;                            // by number in the index, where only closed or maximal sets are; else empty: all
  std::vector<int64_t> level;                             // of the index, where `listed` is there
  std::optional<SetIndex> index;
  RuleList rules;
};

using Put = std::function<void(std::string_view)>;

// The sets to list, in the store's order.
void each_listed(const Found& found, const std::function<void(std::span<const int32_t> ranks, int64_t count)>& f);

// items,names,count,support. Items ascend by the input's numbers.
void write_itemsets(const Found& found, const Put& put);
// antecedent,antecedent_names,consequent,consequent_names,count,support,confidence,lift,leverage,conviction,zhang,coverage,fisher_p,fdr.
void write_rules(const Found& found, const Put& put);

// The ranks of a set of the index.
std::vector<int32_t> ranks_of(const SetIndex& index, uint32_t set);
// "odor=foul; bruises=no": names in the order of the input's numbers.
std::string names_of(const Found& found, std::span<const int32_t> ranks);

}  // namespace sluice
