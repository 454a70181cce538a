#include "sluice/io/jsonl.h"

#include <clocale>
#include <cmath>

#include "sluice/io/io_testing.h"

namespace sluice {
namespace {

using namespace testing;
using Values = std::vector<double>;
using Strings = std::vector<std::string>;

Table parse(const std::string& text, const std::string& encoding = "") {
  Context ctx;
  return read_jsonl({{in_memory(text, "t.jsonl"), Compression::kNone}}, encoding, {}, ctx);
}

void refuse(const std::string& text, const std::string& part) {
  expect_error(ErrorCode::kBadInput, part, [&] { parse(text); });
}

TEST(Jsonl, ColumnsInOrderOfFirstAppearance) {
  const Table table = parse("{\"b\": 1, \"a\": 2.5}\r\n\n{\"a\": -1e3, \"c\": true}\n{\"b\": null, \"c\": false}");
  EXPECT_EQ(names_of(table), (Strings{"b", "a", "c"}));
  const Values v = numbers_of(table);
  ASSERT_EQ(v.size(), 9u);
  EXPECT_EQ(v[0], 1);
  EXPECT_EQ(v[1], 2.5);
  EXPECT_TRUE(std::isnan(v[2]) && std::isnan(v[3]) && std::isnan(v[6]) && std::isnan(v[7]));
  EXPECT_EQ(v[4], -1000);
  EXPECT_EQ(v[5], 1);
  EXPECT_EQ(v[8], 0);
  EXPECT_EQ(table.columns[0].type, ColumnType::kInteger);
  EXPECT_EQ(table.columns[1].type, ColumnType::kReal);
}

TEST(Jsonl, TextsWithNumbersAmongThem) {
  const Table table = parse("{\"t\": 0.5}\n{\"t\": \"\\u00e4 \\\"q\\\"\"}\n{}\n{\"t\": true}\n{\"t\": \"12\"}\n{\"t\": 12}\n{\"t\": \"\"}");
  EXPECT_EQ(table.rows, 7);
  EXPECT_EQ(table.numbers, nullptr);
  EXPECT_EQ(texts_of(table, 0), (Strings{"0.5", "\xC3\xA4 \"q\"", "<missing>", "true", "12", "12", ""}));
}

TEST(Jsonl, ListsAreColumns) {
  const Table table = parse("{\"id\": \"a\", \"e\": [1, null, 3]}\n{\"id\": \"b\", \"e\": null}\n{\"e\": [4, 5.5, 6]}");
  EXPECT_EQ(names_of(table), (Strings{"id", "e_0", "e_1", "e_2"}));
  const Values v = numbers_of(table);
  EXPECT_EQ(v[0], 1);
  EXPECT_TRUE(std::isnan(v[1]) && std::isnan(v[3]) && std::isnan(v[5]));
  EXPECT_EQ(v[7], 5.5);
  EXPECT_EQ(texts_of(table, 0), (Strings{"a", "b", "<missing>"}));
  refuse("{\"e\": [1, 2]}\n{\"e\": [1]}", "t.jsonl:2: holds a list of 1");
  refuse("{\"e\": [1, 2]}\n{\"e\": 1}", "both lists and single");
  refuse("{\"e\": [\"x\"]}", "list of texts");
  refuse("{\"e\": [[1]]}", "list inside a list");
  refuse("{\"e\": []}", "empty list");
  refuse("{\"e\": [{}]}", "object inside an object");
  refuse("{\"e\": [1], \"e_0\": 2}", "two columns 'e_0'");
}

TEST(Jsonl, IntegersPast2To53) {
  const Table table = parse("{\"id\": 9007199254740993}\n{\"id\": -1}\n{\"id\": 123456789012345678901234567890}");
  EXPECT_TRUE(table.columns[0].beyond_double);
  EXPECT_EQ(texts_of(table, 0), (Strings{"9007199254740993", "-1", "123456789012345678901234567890"}));
  EXPECT_EQ(numbers_of(parse("{\"x\": 0.5}\n{\"x\": 9007199254740993}"))[1], 9007199254740992.0);
}

TEST(Jsonl, RefusesWhatIsDamaged) {
  refuse("", "no rows");
  refuse("{}\n", "no keys");
  refuse("[1]\n", "not a JSON object");
  refuse("1\n", "not a JSON object");
  refuse("null\n", "not a JSON object");
  refuse("\"x\"\n", "not a JSON object");
  refuse("{\"a\": 1}\n{\"a\": }\n", "t.jsonl:2: is not valid JSON");
  refuse("{\"a\": 1} {\"a\": 2}\n", "not valid JSON");
  refuse("{\"a\": {\"b\": 1}}\n", "object inside an object");
  refuse("{\"a\": 1, \"a\": 2}\n", "key 'a' twice");
  refuse("{\"a\": 1e999}\n", "past the largest double");
  refuse("{\"a\": NaN}\n", "not valid JSON");
  refuse("{\"a\": \"\xFF\"}\n", "not valid JSON");
  refuse(std::string(100000, '[') + "\n", "not a JSON object");
  refuse("{\"a\":" + std::string(100000, '[') + "\n", "list inside a list");
}

TEST(Jsonl, TruncationsNeverCrash) {
  Context ctx;
  expect_truncations("{\"a\": 1, \"t\": \"x\\u00e4\", \"e\": [1, 2]}\n{\"a\": 2}\n", true,
                     [&](const auto& file) { read_jsonl({{file, Compression::kNone}}, "", {}, ctx); });
}

TEST(Jsonl, NoLocale) {
  const char* german = nullptr;
  for (const char* name : {"de_DE.UTF-8", "de_DE.utf8", "de_DE"}) {
    if (german == nullptr) german = std::setlocale(LC_ALL, name);
  }
  if (german == nullptr) GTEST_SKIP() << "no German locale on this machine";
  EXPECT_EQ(numbers_of(parse("{\"x\": 1.5}")), (Values{1.5}));
  EXPECT_EQ(texts_of(parse("{\"x\": 1.5}\n{\"x\": \"a\"}"), 0)[0], "1.5");
  std::setlocale(LC_ALL, "C");
}

}  // namespace
}  // namespace sluice
