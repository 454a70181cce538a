#include "sluice/patterns/rules.h"

#include <gtest/gtest.h>

#include <cmath>

#include "sluice/patterns/fisher.h"
#include "sluice/patterns/testing.h"

namespace sluice {
namespace {

using namespace testing;

constexpr int kItems = 8;
const std::vector<double> kDensity = {0.6, 0.5, 0.4, 0.4, 0.3, 0.2, 0.1, 1};

struct SlowRule {
  int64_t count;
  double confidence, lift, p;
  bool redundant;
};

// By (antecedent, consequent), straight from the counts of all sets.
std::map<std::pair<uint32_t, int>, SlowRule> slow_rules(const Masks& masks, int64_t min_count, double min_confidence, int64_t& tested) {
  const std::vector<int64_t> count = counts_of(masks, kItems);
  const auto n = static_cast<int64_t>(masks.size());
  std::map<std::pair<uint32_t, int>, SlowRule> out;
  tested = 0;
  for (uint32_t set = 1; set < count.size(); ++set) {
    if (count[set] < min_count || std::popcount(set) < 2) continue;
    for (int y = 0; y < kItems; ++y) {
      if (!(set >> y & 1)) continue;
      ++tested;
      const uint32_t from = set & ~(1U << y), to = 1U << y;
      const double confidence = static_cast<double>(count[set]) / static_cast<double>(count[from]);
      if (confidence < min_confidence) continue;
      bool redundant = false;
      for (uint32_t smaller = (from - 1) & from; smaller != 0; smaller = (smaller - 1) & from)
        redundant |= static_cast<double>(count[smaller | to]) / static_cast<double>(count[smaller]) >= confidence;
      out[{from, y}] = {count[set], confidence, confidence / (static_cast<double>(count[to]) / static_cast<double>(n)),
                        fisher_p(count[set], count[from], count[to], n), redundant};
    }
  }
  return out;
}

std::vector<std::vector<std::string>> rules_of(const Masks& masks, std::map<std::string, std::string> given, Outcome* outcome = nullptr) {
  Context ctx;
  ctx.threads = 2;
  given["rules"] = "true";
  Outcome out = eclat_run(set_of(masks, kItems), params_of(given), ctx);
  auto rows = csv_rows(file_of(out, "rules.csv"));
  rows.erase(rows.begin());
  if (outcome != nullptr) *outcome = std::move(out);
  return rows;
}

double number(const std::string& text) {
  return *parse_number<double>(text);
}

TEST(Rules, AllOfThemEqualTheDefinitions) {
  const Masks masks = random_masks(500, kDensity, 21);
  int64_t tested = 0;
  const auto slow = slow_rules(masks, 4, 0.55, tested);
  const auto rows = rules_of(masks, {{"min_support", "4"}, {"min_confidence", "0.55"}, {"all_rules", "true"}});
  ASSERT_EQ(rows.size(), slow.size());
  std::vector<double> p;
  for (const auto& [key, rule] : slow) p.push_back(rule.p);
  const std::vector<double> rate = false_discovery(p, tested);
  double before = INFINITY;
  for (const auto& row : rows) {
    const std::pair<uint32_t, int> key{mask_of(row[0]), std::stoi(row[2])};
    ASSERT_TRUE(slow.contains(key)) << row[0] << " -> " << row[2];
    const SlowRule& rule = slow.at(key);
    EXPECT_EQ(std::stoll(row[4]), rule.count);
    EXPECT_EQ(number(row[6]), rule.confidence);
    EXPECT_EQ(number(row[7]), rule.lift);
    EXPECT_LE(rule.lift, before);
    before = rule.lift;
    EXPECT_EQ(number(row[12]), rule.p);
    EXPECT_EQ(number(row[13]), rate[static_cast<size_t>(std::distance(slow.begin(), slow.find(key)))]);
  }
}

TEST(Rules, MeasuresAreThoseOfTheBooks) {
  const Masks masks = random_masks(300, kDensity, 22);
  const std::vector<int64_t> count = counts_of(masks, kItems);
  for (const auto& row : rules_of(masks, {{"min_support", "3"}, {"min_confidence", "0"}, {"all_rules", "true"}})) {
    const uint32_t from = mask_of(row[0]), to = 1U << std::stoi(row[2]);
    const double n = 300, xy = static_cast<double>(count[from | to]) / n, x = static_cast<double>(count[from]) / n,
                 y = static_cast<double>(count[to]) / n;
    EXPECT_NEAR(number(row[5]), xy, 1e-15);
    EXPECT_NEAR(number(row[8]), xy - x * y, 1e-15);
    const double confidence = number(row[6]);
    if (confidence == 1) {
      EXPECT_EQ(row[9], "inf");
    } else {
      EXPECT_NEAR(number(row[9]), (1 - y) / (1 - confidence), 1e-9);
    }
    const double widest = std::max(xy * (1 - x), x * (y - xy));
    EXPECT_NEAR(number(row[10]), widest > 0 ? (xy - x * y) / widest : 0, 1e-12);
    EXPECT_GE(number(row[10]), -1 - 1e-12);
    EXPECT_LE(number(row[10]), 1 + 1e-12);
    EXPECT_NEAR(number(row[11]), x, 1e-15);
  }
}

TEST(Rules, RedundantOnesAreLeftOutUnlessAllAreAskedFor) {
  const Masks masks = random_masks(400, kDensity, 23);
  int64_t tested = 0;
  auto slow = slow_rules(masks, 2, 0.5, tested);
  ASSERT_LT(slow.size(), 2000U);
  const size_t all = slow.size();
  std::erase_if(slow, [](const auto& rule) { return rule.second.redundant; });
  ASSERT_LT(slow.size(), all);
  ASSERT_LT(slow.size(), static_cast<size_t>(kBestRules));
  const auto rows = rules_of(masks, {{"min_support", "2"}, {"min_confidence", "0.5"}});
  std::set<std::pair<uint32_t, int>> found;
  for (const auto& row : rows) found.insert({mask_of(row[0]), std::stoi(row[2])});
  std::set<std::pair<uint32_t, int>> expected;
  for (const auto& [key, rule] : slow) expected.insert(key);
  EXPECT_EQ(found, expected);
}

TEST(Rules, TheBestThousandByLift) {
  std::vector<double> density(kItems, 0.5);
  const Masks masks = random_masks(3000, density, 24);
  const auto best = rules_of(masks, {{"min_support", "1"}, {"min_confidence", "0"}});
  int64_t tested = 0;
  auto slow = slow_rules(masks, 1, 0, tested);
  std::vector<double> lifts;
  for (const auto& [key, rule] : slow) {
    if (!rule.redundant) lifts.push_back(rule.lift);
  }
  std::sort(lifts.rbegin(), lifts.rend());
  ASSERT_EQ(best.size(), std::min<size_t>(lifts.size(), kBestRules));
  for (size_t i = 0; i < best.size(); ++i) EXPECT_EQ(number(best[i][7]), lifts[i]);
}

TEST(Rules, OnlyWhatMayBeConcluded) {
  const Masks masks = random_masks(300, kDensity, 25);
  const auto all = rules_of(masks, {{"min_support", "3"}, {"min_confidence", "0.3"}, {"all_rules", "true"}});
  auto some = rules_of(masks, {{"min_support", "3"}, {"min_confidence", "0.3"}, {"all_rules", "true"}, {"consequent", "2,5"}});
  size_t expected = 0;
  for (const auto& row : all) expected += row[2] == "2" || row[2] == "5";
  EXPECT_EQ(some.size(), expected);
  for (const auto& row : some) EXPECT_TRUE(row[2] == "2" || row[2] == "5");
  EXPECT_THROW(rules_of(masks, {{"consequent", "77"}}), Error);
  EXPECT_THROW(rules_of(masks, {{"consequent", "2,"}}), Error);
}

TEST(Rules, LengthsHoldForRulesToo) {
  const Masks masks = random_masks(300, kDensity, 26);
  for (const auto& row :
       rules_of(masks, {{"min_support", "3"}, {"min_confidence", "0.1"}, {"all_rules", "true"}, {"min_length", "3"}, {"max_length", "3"}}))
    EXPECT_EQ(std::popcount(mask_of(row[0])), 2);
  // Closed sets are listed, rules come from all frequent ones.
  const auto from_closed = rules_of(masks, {{"min_support", "3"}, {"all_rules", "true"}, {"target", "closed"}, {"max_length", "4"}});
  const auto from_all = rules_of(masks, {{"min_support", "3"}, {"all_rules", "true"}, {"max_length", "4"}});
  EXPECT_EQ(from_closed.size(), from_all.size());
}

TEST(Rules, CountsAndFiguresAreThePublishedOnes) {
  int seen = 0;
  for (const char* name : {"groceries", "debtags"}) {
    const std::filesystem::path table = data_folder() / "reference" / (std::string("rules_") + name + ".csv");
    const std::filesystem::path data = data_folder() / "itemsets" / (std::string(name) + ".dat.gz");
    if (!std::filesystem::exists(table) || !std::filesystem::exists(data)) continue;
    ++seen;
    std::ifstream file(table);
    std::stringstream text;
    text << file.rdbuf();
    std::map<std::pair<std::set<std::string>, std::string>, std::vector<double>> expected;
    int64_t least = 1 << 30;
    const auto words = [](const std::string& items) {
      std::istringstream in(items);
      return std::set<std::string>{std::istream_iterator<std::string>(in), {}};
    };
    for (const auto& row : csv_rows(text.str())) {
      if (row[0] == "antecedent") continue;
      least = std::min<int64_t>(least, std::stoll(row[2]));
      expected[{words(row[0]), row[1]}] = {number(row[2]), number(row[4]), number(row[6]), number(row[7]),
                                           row[8] == "Inf" ? INFINITY : number(row[8])};
    }
    Context ctx;
    const Outcome out = eclat_run(published_baskets(data),
                                  params_of({{"min_support", std::to_string(least)},
                                             {"min_confidence", name == std::string("groceries") ? "0.8" : "0.9"},
                                             {"all_rules", "true"}}),
                                  ctx);
    auto rows = csv_rows(file_of(out, "rules.csv"));
    EXPECT_EQ(rows.size(), expected.size() + 1) << name;
    for (size_t i = 1; i < rows.size(); ++i) {
      const auto found = expected.find({words(rows[i][0]), rows[i][2]});
      ASSERT_NE(found, expected.end()) << rows[i][0] << " -> " << rows[i][2];
      EXPECT_EQ(number(rows[i][4]), found->second[0]);
      EXPECT_NEAR(number(rows[i][6]), found->second[1], 1e-8);
      EXPECT_NEAR(number(rows[i][7]), found->second[2], 1e-5);
      EXPECT_NEAR(number(rows[i][8]), found->second[3], 1e-8);
      if (std::isinf(found->second[4])) {
        EXPECT_EQ(rows[i][9], "inf");
      } else {
        EXPECT_NEAR(number(rows[i][9]), found->second[4], 1e-4 * found->second[4]);
      }
    }
  }
  if (seen == 0) GTEST_SKIP() << "rules_*.csv are not here";
}

}  // namespace
}  // namespace sluice
