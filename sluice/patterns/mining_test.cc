#include "sluice/patterns/mining.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "sluice/core/fold.h"
#include "sluice/patterns/testing.h"

namespace sluice {
namespace {

using namespace testing;

struct Data {
  const char* name;
  std::vector<double> density;
  int64_t rows;
};
const std::vector<Data> kData = {
    {"middling", {0.5, 0.4, 0.3, 0.3, 0.2, 0.2, 0.1, 0.1, 0.05}, 300},
    {"dense, one item in all", {1, 0.99, 0.98, 0.95, 0.9, 0.9, 0.8, 0.5}, 2000},
    {"sparse", {0.01, 0.01, 0.008, 0.007, 0.006, 0.005, 0.004, 0.003, 0.002, 0.002}, 20'000},
    {"mixed", {0.9, 0.6, 0.1, 0.02, 0.99, 0.01, 0.3}, 5'000},
    {"one basket", {1, 1, 0.5, 0.5}, 1},
};

TEST(Mining, AllThreeFindWhatCountingByHandFinds) {
  Context ctx;
  for (const Data& data : kData) {
    const int items = static_cast<int>(data.density.size());
    const Masks masks = random_masks(data.rows, data.density, 3);
    for (const int64_t min_count : {int64_t{1}, std::max<int64_t>(1, data.rows / 100), std::max<int64_t>(1, data.rows / 4)}) {
      for (const auto& [word, target] :
           {std::pair{"frequent", ItemsetTarget::kFrequent}, {"closed", ItemsetTarget::kClosed}, {"maximal", ItemsetTarget::kMaximal}}) {
        const auto expected = expected_sets(masks, items, min_count, target);
        std::set<std::string> files;
        for (const Miner& miner : kMiners) {
          const Outcome out =
              miner.run(set_of(masks, items), params_of({{"min_support", std::to_string(min_count)}, {"target", word}}), ctx);
          const std::string file = file_of(out, "itemsets.csv");
          EXPECT_EQ(sets_in(file), expected) << data.name << ", " << miner.name << ", " << word << " from " << min_count;
          EXPECT_EQ(std::count(file.begin(), file.end(), '\n'), static_cast<ptrdiff_t>(expected.size()) + 1);  // none twice
          files.insert(file);
        }
        EXPECT_EQ(files.size(), 1U) << data.name << " " << word;
      }
    }
  }
}

TEST(Mining, LengthsAreKept) {
  Context ctx;
  const Masks masks = random_masks(500, kData[0].density, 5);
  for (const auto& [word, target] :
       {std::pair{"frequent", ItemsetTarget::kFrequent}, {"closed", ItemsetTarget::kClosed}, {"maximal", ItemsetTarget::kMaximal}}) {
    auto expected = expected_sets(masks, 9, 5, target);
    std::erase_if(expected, [](const auto& set) { return std::popcount(set.first) < 2 || std::popcount(set.first) > 3; });
    for (const Miner& miner : kMiners) {
      const Outcome out =
          miner.run(set_of(masks, 9), params_of({{"min_support", "5"}, {"min_length", "2"}, {"max_length", "3"}, {"target", word}}), ctx);
      EXPECT_EQ(sets_in(file_of(out, "itemsets.csv")), expected) << miner.name << " " << word;
    }
  }
}

TEST(Mining, ThreadsChangeNothing) {
  const Masks masks = random_masks(3'000, kData[0].density, 7);
  for (const Miner& miner : kMiners) {
    std::set<std::string> files;
    for (const int threads : {1, 2, 3, 8}) {
      Context ctx;
      ctx.threads = threads;
      const Outcome out =
          miner.run(set_of(masks, 9), params_of({{"min_support", "3"}, {"all_rules", "true"}, {"min_confidence", "0.1"}}), ctx);
      files.insert(file_of(out, "itemsets.csv") + file_of(out, "rules.csv"));
    }
    EXPECT_EQ(files.size(), 1U) << miner.name;
  }
}

TEST(Mining, TheOrderOfBasketsChangesNothing) {
  Context ctx;
  Masks masks = random_masks(800, kData[0].density, 9);
  for (const Miner& miner : kMiners) {
    const std::string before = file_of(miner.run(set_of(masks, 9), params_of({{"min_support", "4"}}), ctx), "itemsets.csv");
    std::reverse(masks.begin(), masks.end());
    std::rotate(masks.begin(), masks.begin() + 311, masks.end());
    EXPECT_EQ(file_of(miner.run(set_of(masks, 9), params_of({{"min_support", "4"}}), ctx), "itemsets.csv"), before) << miner.name;
  }
}

TEST(Mining, EachBasketTwiceDoublesEveryCount) {
  Context ctx;
  Masks masks = random_masks(400, kData[0].density, 11);
  Masks twice = masks;
  twice.insert(twice.end(), masks.begin(), masks.end());
  for (const Miner& miner : kMiners) {
    auto once = sets_in(file_of(miner.run(set_of(masks, 9), params_of({{"min_support", "3"}}), ctx), "itemsets.csv"));
    for (auto& [set, count] : once) count *= 2;
    EXPECT_EQ(sets_in(file_of(miner.run(set_of(twice, 9), params_of({{"min_support", "6"}}), ctx), "itemsets.csv")), once) << miner.name;
  }
}

TEST(Mining, EmptyBasketsCountAsBaskets) {
  Context ctx;
  for (const Miner& miner : kMiners) {
    const Outcome out = miner.run(set_of({1, 0, 0, 3}, 2), params_of({{"min_support", "0.5"}}), ctx);
    EXPECT_EQ(file_of(out, "itemsets.csv"), "items,names,count,support\n0,\"0\",2,0.5\n") << miner.name;
    EXPECT_EQ(file_of(miner.run(set_of({0, 0}, 2), {}, ctx), "itemsets.csv"), "items,names,count,support\n");
    EXPECT_THROW(miner.run(set_of({}, 2), {}, ctx), Error);
  }
}

TEST(Mining, NamesAreQuoted) {
  Context ctx;
  BasketSet set = set_of({3, 3}, 2);
  set.names = {"say \"a\", b", ""};
  EXPECT_EQ(file_of(eclat_run(set, params_of({{"min_support", "2"}, {"min_length", "2"}}), ctx), "itemsets.csv"),
            "items,names,count,support\n0 1,\"say \"\"a\"\", b; 1\",2,1\n");
}

TEST(Mining, SetsThatExplodeAreRefusedInTime) {
  Context ctx;
  BasketSet set;
  for (int row = 0; row < 2; ++row) {
    for (int item = 0; item < 500; ++item) set.items.push_back(item);
    set.offsets.push_back(static_cast<int64_t>(set.items.size()));
  }
  for (int item = 0; item < 500; ++item) set.numbers.push_back(std::to_string(item));
  for (const Miner& miner : kMiners) {
    try {
      miner.run(set, params_of({{"min_support", "2"}}), ctx);
      FAIL() << miner.name;
    } catch (const Error& error) {
      EXPECT_EQ(error.code, ErrorCode::kMemory);
      EXPECT_NE(std::string(error.what()).find("raise it"), std::string::npos);
    }
    const std::string singles = file_of(miner.run(set, params_of({{"min_support", "2"}, {"max_length", "1"}}), ctx), "itemsets.csv");
    EXPECT_EQ(std::count(singles.begin(), singles.end(), '\n'), 501);
  }
}

TEST(Mining, CountingAgreesWithListing) {
  Context ctx;
  for (const Data& data : kData) {
    const int items = static_cast<int>(data.density.size());
    const Masks masks = random_masks(data.rows, data.density, 13);
    for (const int64_t max_length : {1, 2, 3, 100}) {
      auto expected = expected_sets(masks, items, 2, ItemsetTarget::kFrequent);
      std::erase_if(expected, [&](const auto& set) { return std::popcount(set.first) > max_length; });
      EXPECT_EQ(eclat_count(rank_items(set_of(masks, items), 2, ctx), {max_length}, 1 << 20, ctx), static_cast<int64_t>(expected.size()))
          << data.name;
    }
  }
}

TEST(Mining, WhatDoesNotFitGoesToTheSpool) {
  Context ctx;
  ctx.memory = 64;  // of which the store takes an eighth
  ctx.spool_dir = ::testing::TempDir();
  ItemsetStore store(2, 1 << 20, ctx);
  for (int32_t root = 0; root < 2; ++root) {
    ItemsetStore::Writer out(store, root);
    out.put(1, root, 1000);
    for (int32_t item = 0; item < 9000; ++item) out.put(2, 100 + item, 300 + item);
    out.end();
  }
  int64_t at = 0;
  store.each([&](std::span<const int32_t> ranks, int64_t count) {
    const int64_t root = at / 9001, item = at % 9001 - 1;
    EXPECT_EQ(ranks[0], root);
    EXPECT_EQ(ranks.size(), item < 0 ? 1U : 2U);
    EXPECT_EQ(count, item < 0 ? 1000 : 300 + item);
    ++at;
  });
  EXPECT_EQ(at, 18'002);
  EXPECT_EQ(store.sets(), 18'002);
  EXPECT_FALSE(store.full());
}

TEST(Mining, SupportIsAShareWithAPointElseACount) {
  const auto count = [](const char* text, int64_t baskets) { return params_of({{"min_support", text}}).min_support.count(baskets); };
  EXPECT_EQ(count("0.001", 9835), 10);
  EXPECT_EQ(count("0.1", 30), 3);  // 0.1 * 30 is above 3 in doubles
  EXPECT_EQ(count("0.07", 100), 7);
  EXPECT_EQ(count("1.0", 50), 50);
  EXPECT_EQ(count("1", 50), 1);
  EXPECT_EQ(count("20", 50), 20);
  EXPECT_EQ(count("1e-3", 2000), 2);
  EXPECT_EQ(count("0.0000001", 10), 1);
  for (const char* bad : {"0", "0.0", "-1", "-0.5", "1.5", "nan", "inf", "", "ten", "1e300"}) EXPECT_THROW(count(bad, 10), Error) << bad;
  EXPECT_EQ(param_values(params_of({{"min_support", "1.0"}}))["min_support"], "1.0");
  EXPECT_EQ(param_values(params_of({{"min_support", "20"}}))["min_support"], "20");
}

TEST(Mining, CountsAreThePublishedOnes) {
  const std::filesystem::path table = data_folder() / "reference" / "itemsets_counts.csv";
  if (!std::filesystem::exists(table)) GTEST_SKIP() << "itemsets_counts.csv is not here";
  std::ifstream file(table);
  std::stringstream text;
  text << file.rdbuf();
  Context ctx;
  ctx.threads = 2;
  std::map<std::string, BasketSet> sets;
  for (const auto& row : csv_rows(text.str())) {
    if (row[0] == "dataset" || std::stoll(row[5]) > 100'000) continue;
    const std::string path = (data_folder() / "itemsets" / (row[0] + ".dat.gz")).string();
    if (!std::filesystem::exists(path)) continue;
    if (!sets.contains(row[0])) sets[row[0]] = published_baskets(path);
    for (const auto& [target, expected] : {std::pair{"frequent", row[5]}, {"closed", row[6]}, {"maximal", row[7]}}) {
      if (expected.empty()) continue;
      const Outcome out = eclat_run(sets[row[0]], params_of({{"min_support", row[3]}, {"target", target}}), ctx);
      const std::string lines = file_of(out, "itemsets.csv");
      EXPECT_EQ(std::to_string(std::count(lines.begin(), lines.end(), '\n') - 1), expected) << row[0] << " " << row[3] << " " << target;
    }
  }
}

}  // namespace
}  // namespace sluice
