#include "sluice/core/text.h"

#include <gtest/gtest.h>

#include <clocale>
#include <limits>
#include <nlohmann/json.hpp>

#include "sluice/core/table.h"

namespace sluice {
namespace {

TEST(Text, NumbersRoundTrip) {
  for (const double x : {0.1, -1.0 / 3, 1e300, 5e-324, 123456789.0, -0.0}) EXPECT_EQ(parse_number<double>(to_text(x)), x) << x;
  EXPECT_EQ(to_text(0.1), "0.1");
  EXPECT_EQ(to_text(int64_t{-5}), "-5");
  EXPECT_EQ(to_text(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(json_number(std::nan("")), "null");
  EXPECT_EQ(json_number(2.5), "2.5");
}

TEST(Text, OnlyTheWholeTextIsANumber) {
  EXPECT_EQ(parse_number<int64_t>("+5"), 5);
  EXPECT_EQ(parse_number<double>("-1.5e3"), -1500);
  for (const char* text : {"", "+", "-", "+-5", "++5", " 1", "1 ", "1,5", "0x10", "1.5.2"})
    EXPECT_FALSE(parse_number<double>(text)) << text;
  EXPECT_FALSE(parse_number<int64_t>("1.0"));
  EXPECT_FALSE(parse_number<int32_t>("2147483648"));
}

TEST(Text, NumbersDoNotDependOnTheLocale) {
  const std::string before = std::setlocale(LC_ALL, nullptr);
  const char* german = nullptr;
  for (const char* name : {"de_DE.UTF-8", "de_DE.utf8", "de_DE", "fr_FR.UTF-8"}) {
    german = std::setlocale(LC_ALL, name);
    if (german != nullptr) break;
  }
  const bool have = german != nullptr;
  const bool right = parse_number<double>("1.5") == 1.5 && to_text(1.5) == "1.5" && parse_size("1.5K") == 1536;
  std::setlocale(LC_ALL, before.c_str());
  EXPECT_TRUE(right);
  if (!have) GTEST_SKIP() << "no locale with a decimal comma on this machine";
}

TEST(ParseSize, PowersOf1024) {
  EXPECT_EQ(parse_size("123456"), 123456);
  EXPECT_EQ(parse_size("400M"), int64_t{400} << 20);
  EXPECT_EQ(parse_size("400MB"), int64_t{400} << 20);
  EXPECT_EQ(parse_size("400MiB"), int64_t{400} << 20);
  EXPECT_EQ(parse_size("1.5g"), int64_t{3} << 29);
  EXPECT_EQ(parse_size("2T"), int64_t{2} << 40);
  EXPECT_EQ(parse_size("10B"), 10);
  for (const char* text :
       {"", "0", "-1", "-1G", "G", "B", "iB", "5iB", "5i", "1.5.2G", "nan", "inf", "1e30", "4194304T", "0.2", "12 G", "1GG"}) {
    EXPECT_FALSE(parse_size(text)) << text;
  }
}

TEST(Closest, NearAndFar) {
  const std::vector<std::string> known = {"kmeans", "dbscan", "hdbscan", "pca"};
  EXPECT_EQ(closest("kmean", known), "kmeans");
  EXPECT_EQ(closest("dbscna", known), "dbscan");
  EXPECT_EQ(closest("hdbscn", known), "hdbscan");
  EXPECT_EQ(closest("completely different", known), "");
  EXPECT_EQ(closest("x", {}), "");
}

TEST(JsonQuoted, EveryByteSurvivesAParser) {
  std::string text = "plain \"quoted\" \\ back";
  for (char c = 1; c < 127; ++c) text += c;
  text += '\0';
  text += "\xc3\xbc";  // u with two dots, as UTF-8
  EXPECT_EQ(nlohmann::json::parse(json_quoted(text)).get<std::string>(), text);
  EXPECT_EQ(json_quoted(""), "\"\"");
}

TEST(Table, FindsColumnsByNameAndNumber) {
  Table table;
  table.columns = {{"height"}, {"weight"}, {"3"}};
  EXPECT_EQ(table.find("weight"), 1);
  EXPECT_EQ(table.find("0"), 0);
  EXPECT_EQ(table.find("-1"), 2);
  EXPECT_EQ(table.find("3"), 2);  // the name comes first
  for (const char* name : {"-4", "4", "", "hight", "1x"}) EXPECT_THROW(table.find(name), Error) << name;
  try {
    table.find("hight");
  } catch (const Error& e) {
    EXPECT_EQ(e.code, ErrorCode::kBadInput);
    EXPECT_NE(std::string(e.what()).find("did you mean height?"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace sluice
