// Baskets: rows that are sets of items, as transactions, tags or the cells of a discretised table. What pattern miners work on.
// In memory as compressed rows: 4 bytes an item and 8 a basket.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace sluice {

struct BasketSet {
  std::vector<int64_t> offsets{0};   // basket i holds items[offsets[i]] .. items[offsets[i + 1]), ascending, each once
  std::vector<int32_t> items;        // numbers 0 .. n_items() - 1
  std::vector<std::string> numbers;  // item -> the number the input gave it, as written ("17"); what itemsets.csv prints
  std::vector<std::string> names;    // item -> its name; empty: items have none but their numbers

  int64_t rows() const { return static_cast<int64_t>(offsets.size()) - 1; }
  int64_t n_items() const { return static_cast<int64_t>(numbers.size()); }
  std::span<const int32_t> basket(int64_t row) const {
    const auto first = static_cast<size_t>(offsets[static_cast<size_t>(row)]),
               last = static_cast<size_t>(offsets[static_cast<size_t>(row) + 1]);
    return {items.data() + first, last - first};
  }
};

}  // namespace sluice
