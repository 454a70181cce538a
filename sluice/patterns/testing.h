// What this room's tests share: random baskets, counting by hand, and outcomes as text.
#pragma once
#include <zlib.h>

#include <bit>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "sluice/core/random.h"
#include "sluice/patterns/apriori.h"
#include "sluice/patterns/eclat.h"
#include "sluice/patterns/fpgrowth.h"

namespace sluice::testing {

using Masks = std::vector<uint32_t>;  // a basket each: bit i for item i

inline BasketSet set_of(const Masks& masks, int items) {
  BasketSet set;
  for (const uint32_t mask : masks) {
    for (int i = 0; i < items; ++i) {
      if (mask >> i & 1) set.items.push_back(i);
    }
    set.offsets.push_back(static_cast<int64_t>(set.items.size()));
  }
  for (int i = 0; i < items; ++i) set.numbers.push_back(std::to_string(i));
  return set;
}

// Baskets in which item i lies with probability density[i]; neighbours come together half of the time.
inline Masks random_masks(int64_t rows, const std::vector<double>& density, uint64_t seed) {
  Masks masks;
  for (int64_t row = 0; row < rows; ++row) {
    Random random(seed, RandomStage::kSubsample, static_cast<uint64_t>(row));
    uint32_t mask = 0;
    for (size_t i = 0; i < density.size(); ++i) {
      if (random.uniform() < density[i]) mask |= 1U << i;
      if (i > 0 && (mask >> (i - 1) & 1) && random.uniform() < 0.5 * density[i]) mask |= 1U << i;
    }
    masks.push_back(mask);
  }
  return masks;
}

// How many baskets hold each of the 2^items sets.
inline std::vector<int64_t> counts_of(const Masks& masks, int items) {
  std::vector<int64_t> count(size_t{1} << items);
  for (const uint32_t mask : masks) ++count[mask];
  for (int i = 0; i < items; ++i) {
    for (size_t mask = 0; mask < count.size(); ++mask) {
      if (!(mask >> i & 1)) count[mask] += count[mask | size_t{1} << i];
    }
  }
  return count;
}

// Sets and counts by the definition of each target.
inline std::map<uint32_t, int64_t> expected_sets(const Masks& masks, int items, int64_t min_count, ItemsetTarget target) {
  const std::vector<int64_t> count = counts_of(masks, items);
  std::map<uint32_t, int64_t> out;
  for (uint32_t mask = 1; mask < count.size(); ++mask) {
    if (count[mask] < min_count) continue;
    bool listed = true;
    for (int i = 0; i < items && target != ItemsetTarget::kFrequent; ++i) {
      if (mask >> i & 1) continue;
      const int64_t larger = count[mask | 1U << i];
      if (target == ItemsetTarget::kClosed ? larger == count[mask] : larger >= min_count) listed = false;
    }
    if (listed) out[mask] = count[mask];
  }
  return out;
}

inline std::string file_of(const Outcome& outcome, const std::string& name) {
  std::string text;
  for (const OutcomeFile& file : outcome.files) {
    if (file.name == name) file.write([&](std::string_view part) { text += part; });
  }
  return text;
}

inline std::vector<std::vector<std::string>> csv_rows(const std::string& text) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    rows.emplace_back(1);
    bool quoted = false;
    for (const char c : line) {
      if (c == '"') {
        quoted = !quoted;
      } else if (c == ',' && !quoted) {
        rows.back().emplace_back();
      } else {
        rows.back().back() += c;
      }
    }
  }
  return rows;
}

inline uint32_t mask_of(const std::string& items) {
  uint32_t mask = 0;
  std::istringstream words(items);
  for (int item = 0; words >> item;) mask |= 1U << item;
  return mask;
}

inline std::map<uint32_t, int64_t> sets_in(const std::string& itemsets_csv) {
  std::map<uint32_t, int64_t> out;
  const auto rows = csv_rows(itemsets_csv);
  for (size_t i = 1; i < rows.size(); ++i) out[mask_of(rows[i][0])] = std::stoll(rows[i][2]);
  return out;
}

using Run = Outcome (*)(const BasketSet&, const MiningParams&, Context&);
struct Miner {
  const char* name;
  Run run;
};
inline const std::vector<Miner> kMiners = {{"eclat", eclat_run}, {"fpgrowth", fpgrowth_run}, {"apriori", apriori_run}};

inline MiningParams params_of(const std::map<std::string, std::string>& given) {
  MiningParams params;
  for (const auto& [name, text] : given) set_param(params, name, text);
  return params;
}

inline std::filesystem::path data_folder() {
  const char* folder = std::getenv("SLUICE_DATA");
  if (folder != nullptr) return folder;
  return std::filesystem::path(__FILE__).parent_path().parent_path().parent_path().parent_path() / "shared" / "data";
}

// A FIMI file of well-formed lines.
inline BasketSet published_baskets(const std::filesystem::path& path) {
  const gzFile file = gzopen(path.c_str(), "rb");
  std::string text;
  char part[1 << 16];
  for (int got = 0; (got = gzread(file, part, sizeof part)) > 0;) text.append(part, static_cast<size_t>(got));
  gzclose(file);
  std::vector<std::set<int64_t>> baskets;
  std::map<int64_t, int32_t> places;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    baskets.emplace_back();
    std::istringstream words(line);
    for (int64_t item = 0; words >> item;) {
      baskets.back().insert(item);
      places[item] = 0;
    }
  }
  BasketSet set;
  for (auto& [item, place] : places) {
    place = static_cast<int32_t>(set.numbers.size());
    set.numbers.push_back(std::to_string(item));
  }
  for (const auto& basket : baskets) {
    for (const int64_t item : basket) set.items.push_back(places[item]);
    set.offsets.push_back(static_cast<int64_t>(set.items.size()));
  }
  return set;
}

}  // namespace sluice::testing
