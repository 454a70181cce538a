#include "sluice/io/cell.h"

#include <gtest/gtest.h>

#include <clocale>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>

namespace sluice {
namespace {

double number(std::string_view text) {
  double value = -77;
  EXPECT_EQ(parse_cell(text, value), Cell::kNumber) << text;
  return value;
}

Cell kind(std::string_view text) {
  double value;
  return parse_cell(text, value);
}

TEST(Cell, Numbers) {
  EXPECT_EQ(number("1.5"), 1.5);
  EXPECT_EQ(number("+1.5"), 1.5);
  EXPECT_EQ(number("-1.5e3"), -1500);
  EXPECT_EQ(number(" \t7 "), 7);
  EXPECT_EQ(number(".5"), 0.5);
  EXPECT_EQ(number("5."), 5);
  EXPECT_EQ(number("0.1"), 0.1);
  EXPECT_EQ(number("1e38"), 1e38);
  EXPECT_EQ(number("1.7976931348623157e308"), 1.7976931348623157e308);
  EXPECT_TRUE(std::signbit(number("-0")));
}

TEST(Cell, RoundTripsTheNearestDouble) {
  std::mt19937_64 random(1);
  char text[64];
  for (int i = 0; i < 20000; ++i) {
    const uint64_t bits = random();
    double value;
    std::memcpy(&value, &bits, 8);
    if (!std::isfinite(value)) continue;
    std::snprintf(text, sizeof text, "%.17g", value);
    EXPECT_EQ(number(text), value) << text;
  }
}

TEST(Cell, SmallNumbersAreZeroOrSubnormalAndLargeOnesOverflow) {
  EXPECT_EQ(number("4.9e-324"), 4.9e-324);
  EXPECT_EQ(number("1e-999"), 0);
  EXPECT_EQ(number("0.0000000001e-400"), 0);
  EXPECT_EQ(number("0e999"), 0);
  EXPECT_EQ(number("1" + std::string(400, '0') + "e-400"), 1);
  EXPECT_EQ(number("0." + std::string(400, '0') + "1e401"), 1);
  for (const char* text : {"1e999", "-1e999", "+2e308", "123456789e301"}) EXPECT_EQ(kind(text), Cell::kOverflow) << text;
  EXPECT_EQ(kind("1" + std::string(400, '0')), Cell::kOverflow);
}

TEST(Cell, MissingAndInfinite) {
  for (const char* text : {"", "  ", "nan", "NaN", "NA", "null", "NULL", " NA "}) {
    double value = 0;
    EXPECT_EQ(parse_cell(text, value), Cell::kMissing) << text;
    EXPECT_TRUE(std::isnan(value));
  }
  EXPECT_EQ(number("inf"), INFINITY);
  EXPECT_EQ(number("-inf"), -INFINITY);
  EXPECT_EQ(number("+Infinity"), INFINITY);
}

TEST(Cell, Texts) {
  for (const char* text :
       {"a", "1a", "1,5", "0x10", "1e", "--1", "+-1", "-", "+", ".", "1 2", "1_000", "nan(1)", "infinite", "1e5x", "NaN1",
        "\xE2\x88\x92"
        "1"}) {
    EXPECT_EQ(kind(text), Cell::kText) << text;
  }
}

TEST(Cell, BeyondExactIntegers) {
  EXPECT_FALSE(beyond_exact_integer("9007199254740992"));
  EXPECT_TRUE(beyond_exact_integer("9007199254740993"));
  EXPECT_TRUE(beyond_exact_integer(" -9007199254740993"));
  EXPECT_TRUE(beyond_exact_integer("123456789012345678901234567890"));
  EXPECT_FALSE(beyond_exact_integer("00000000000000000000000000000001"));
  EXPECT_FALSE(beyond_exact_integer("1e20"));
}

TEST(Cell, NoLocale) {
  const char* german = nullptr;
  for (const char* name : {"de_DE.UTF-8", "de_DE.utf8", "de_DE"}) {
    if (german == nullptr) german = std::setlocale(LC_ALL, name);
  }
  if (german == nullptr) GTEST_SKIP() << "no German locale on this machine";
  EXPECT_EQ(number("1.5"), 1.5);
  EXPECT_EQ(kind("1,5"), Cell::kText);
  std::setlocale(LC_ALL, "C");
}

}  // namespace
}  // namespace sluice
