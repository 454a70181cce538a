#include "sluice/io/csv.h"

#include <cmath>

#include "sluice/io/io_testing.h"

namespace sluice {
namespace {

using namespace testing;

Table parse(const std::string& text, CsvOptions options = {}, StoreOptions store = {}) {
  Context ctx;
  return read_csv({{in_memory(text, "t.csv"), Compression::kNone}}, options, store, ctx);
}

void refuse(const std::string& text, const std::string& part, CsvOptions options = {}) {
  expect_error(ErrorCode::kBadInput, part, [&] { parse(text, options); });
}

using Values = std::vector<double>;
using Strings = std::vector<std::string>;

TEST(Csv, NumbersWithAHeader) {
  const Table table = parse("a,b\n1,2.5\n-3,4e2\n");
  EXPECT_EQ(table.rows, 2);
  EXPECT_EQ(names_of(table), (Strings{"a", "b"}));
  EXPECT_EQ(numbers_of(table), (Values{1, 2.5, -3, 400}));
  EXPECT_EQ(table.columns[0].type, ColumnType::kInteger);
  EXPECT_EQ(table.columns[1].type, ColumnType::kReal);
  EXPECT_EQ(table.numbers->names, (Strings{"a", "b"}));
}

TEST(Csv, NoHeaderAndTabs) {
  const Table table = parse("1\t2\n3\t4", {'\t', false, ""});
  EXPECT_EQ(names_of(table), (Strings{"c0", "c1"}));
  EXPECT_EQ(numbers_of(table), (Values{1, 2, 3, 4}));
}

TEST(Csv, LineEndsMarksAndEmptyLines) {
  const Values expected{1, 2, 3, 4};
  EXPECT_EQ(numbers_of(parse("a,b\r\n1,2\r\n3,4\r\n")), expected);
  EXPECT_EQ(numbers_of(parse("a,b\r1,2\r3,4\r")), expected);
  EXPECT_EQ(numbers_of(parse("\n\na,b\n\n1,2\r\n\r\n3,4\n\n\n")), expected);
  const Table marked = parse(
      "\xEF\xBB\xBF"
      "a,b\n1,2\n3,4");
  EXPECT_EQ(names_of(marked), (Strings{"a", "b"}));
  EXPECT_EQ(numbers_of(marked), expected);
  EXPECT_EQ(numbers_of(parse("\"a\",\"b\"\n\"1\", 2\n3 ,\"4\"")), expected);
}

TEST(Csv, QuotedTexts) {
  const Table table = parse("id,t\n1,\"a,b\"\n2,\"line\nbreak\r\n\"\n3,\"say \"\"hi\"\"\"\n4,5\" pipe\n5,\"\"\"\"\n6,\"\"\n7, x \n");
  ASSERT_EQ(table.columns[1].type, ColumnType::kText);
  EXPECT_EQ(texts_of(table, 0), (Strings{"a,b", "line\nbreak\r\n", "say \"hi\"", "5\" pipe", "\"", "<missing>", " x "}));
  EXPECT_EQ(numbers_of(table), (Values{1, 2, 3, 4, 5, 6, 7}));
}

TEST(Csv, MissingAndInfiniteCells) {
  const Table table = parse("a,b,c\n,inf,NA\nnan,-Infinity,\nnull,1,\n");
  const Values values = numbers_of(table);
  EXPECT_TRUE(std::isnan(values[0]) && std::isnan(values[3]) && std::isnan(values[6]));
  EXPECT_EQ(values[1], INFINITY);
  EXPECT_EQ(values[4], -INFINITY);
  EXPECT_EQ(table.columns[2].type, ColumnType::kReal);
  EXPECT_EQ(table.columns[1].type, ColumnType::kReal);
}

// A word far down makes the whole column text, whatever stood before.
TEST(Csv, TypesComeFromTheWholeColumn) {
  std::string text = "x,y,z\n";
  for (int i = 0; i < 5000; ++i) text += std::to_string(i) + (i == 4321 ? ",1e999x," : ",07,") + std::to_string(-i) + "\n";
  for (const bool to_file : {false, true}) {
    const Table table = parse(text, {}, {100000, "", to_file});
    ASSERT_EQ(table.rows, 5000);
    ASSERT_EQ(table.columns[1].type, ColumnType::kText);
    EXPECT_EQ(table.columns[0].index, 0);
    EXPECT_EQ(table.columns[2].index, 1);
    EXPECT_EQ(table.texts[0]->at(0), "07");
    EXPECT_EQ(table.texts[0]->at(4321), "1e999x");
    const Values values = numbers_of(table);
    ASSERT_EQ(values.size(), 10000u);
    EXPECT_EQ(values[2 * 4999], 4999);
    EXPECT_EQ(values[2 * 4999 + 1], -4999);
  }
}

TEST(Csv, IntegersPast2To53AreKeptAsText) {
  const Table table = parse("id,x\n9007199254740993,1\n-5,2\n");
  EXPECT_TRUE(table.columns[0].beyond_double);
  EXPECT_EQ(table.columns[0].type, ColumnType::kText);
  EXPECT_EQ(texts_of(table, 0), (Strings{"9007199254740993", "-5"}));
  EXPECT_EQ(numbers_of(table), (Values{1, 2}));
  EXPECT_FALSE(parse("id\n9007199254740992\n").columns[0].beyond_double);
  EXPECT_EQ(texts_of(parse("id\n12345678901234567890\n1" + std::string(400, '0') + "\n"), 0)[0], "12345678901234567890");
  // Among decimal numbers it is a decimal number, rounded as they all are.
  const Table real = parse("x\n0.5\n9007199254740993\n");
  EXPECT_FALSE(real.columns[0].beyond_double);
  EXPECT_EQ(numbers_of(real)[1], 9007199254740992.0);
}

TEST(Csv, BigValues) {
  EXPECT_EQ(numbers_of(parse("x\n1e38\n-1e308\n")), (Values{1e38, -1e308}));
  refuse("x\n1\n1e999\n", "t.csv:3");
  // In a column of texts it is a text.
  EXPECT_EQ(texts_of(parse("x\n1e999\nab\n"), 0), (Strings{"1e999", "ab"}));
}

TEST(Csv, RefusesWhatIsDamaged) {
  refuse("", "is empty");
  refuse("\n\n", "is empty");
  refuse("a,b\n", "no rows");
  refuse("a,b\n1,2\n3\n", "t.csv:3: has 1 cells where 2");
  refuse("a,b\n1,2\n\n3,4,5\n", "t.csv:4: has 3 cells");
  refuse("a,b\n1,\"2\n3,4\n", "inside a quoted cell of the record that begins at line 2");
  refuse("a,b\n1,\"2\"x\n", "t.csv:2: has text after a closing quote");
  refuse("a,a\n1,2\n", "names two columns 'a'");
  refuse(std::string("a\n1\0\n", 5), "t.csv:2: holds a NUL");
  refuse(std::string("a\n\"x\0\"\n", 7), "t.csv:2: holds a NUL");
  refuse("a\nx\xFF\n", "t.csv:2: is not valid UTF-8; give the file's own encoding, as in --encoding");
  refuse("a\xC3\n1\n", "t.csv:1: is not valid UTF-8");
  refuse(
      "\xFF\xFE"
      "a",
      "--encoding UTF-16");
}

TEST(Csv, LinesAreCountedThroughQuotes) {
  refuse("a,b\n\"1\n\n\",2\r\n3,4\r5\n", "t.csv:6");
}

TEST(Csv, EmptyHeaderCellsAreNumbered) {
  EXPECT_EQ(names_of(parse("a,,b,\n1,2,3,4\n")), (Strings{"a", "c1", "b", "c3"}));
}

TEST(Csv, OneColumnWithMissingCells) {
  const Table table = parse("a\n\"\"\n1\n\n");
  EXPECT_EQ(table.rows, 2);
  EXPECT_TRUE(std::isnan(numbers_of(table)[0]));
}

TEST(Csv, TextsBeyondTheirMemoryAreNamed) {
  expect_error(ErrorCode::kMemory, "t.csv:3: column 't'", [] { parse("t\nx\n" + std::string(5000, 'y') + "\n", {}, {4000, "", false}); });
}

TEST(Csv, RefusesTooManyCells) {
  refuse(std::string(1'100'000, ','), "t.csv:1: has more than 1048576 cells");
}

TEST(Csv, RecordsAcrossBuffers) {
  std::string text = "a,b\n";
  std::string longest(3'000'000, 'x');
  for (int i = 0; i < 300000; ++i) text += "12345,\"6\"\r\n";
  text += "1,\"" + longest + "\"\n2,y";
  const Table table = parse(text);
  EXPECT_EQ(table.rows, 300002);
  EXPECT_EQ(table.texts[0]->at(300000), longest);
  EXPECT_EQ(table.texts[0]->at(299999), "6");
  EXPECT_EQ(table.texts[0]->at(300001), "y");
}

TEST(Csv, SeveralFilesAreOneTable) {
  Context ctx;
  const auto file = [](const std::string& text, const std::string& name) { return TextFile{in_memory(text, name), Compression::kNone}; };
  const Table table = read_csv({file("a,b\n1,2\n", "1"), file("a,b\n3,x\n", "2")}, {}, {}, ctx);
  EXPECT_EQ(numbers_of(table), (Values{1, 3}));
  EXPECT_EQ(texts_of(table, 0), (Strings{"2", "x"}));
  expect_error(ErrorCode::kBadInput, "2:1: has another header",
               [&] { read_csv({file("a,b\n1,2\n", "1"), file("a,c\n3,x\n", "2")}, {}, {}, ctx); });
  expect_error(ErrorCode::kBadInput, "2:1: has 3 cells",
               [&] { read_csv({file("1,2\n", "1"), file("1,2,3\n", "2")}, {',', false, ""}, {}, ctx); });
}

TEST(Csv, CompressedText) {
  Context ctx;
  const std::string text = "a,t\n1,x\n2,y\n";
  for (const auto& [content, compression] : {std::pair{gzip(text), Compression::kGzip},
                                             {gzip("a,t\n1,x\n") + gzip("2,y\n"), Compression::kGzip},
                                             {zstd(text), Compression::kZstd},
                                             {zstd("a,t\n1,x\n") + zstd("2,y\n"), Compression::kZstd}}) {
    const Table table = read_csv({{in_memory(content), compression}}, {}, {}, ctx);
    EXPECT_EQ(numbers_of(table), (Values{1, 2}));
    EXPECT_EQ(texts_of(table, 0), (Strings{"x", "y"}));
    expect_truncations(content, false, [&](const auto& file) {
      if (read_csv({{file, compression}}, {}, {}, ctx).rows < 2) fail(ErrorCode::kBadInput, "whole members", "fewer rows", "none");
    });
  }
}

TEST(Csv, TruncationsNeverCrash) {
  Context ctx;
  expect_truncations("a,b,c\n1,\"x\"\"y\n\",3\r\n4,\xC3\xA4,6\n", true,
                     [&](const auto& file) { read_csv({{file, Compression::kNone}}, {}, {}, ctx); });
}

TEST(Csv, StopsWhenAsked) {
  std::atomic<bool> stop{true};
  Context ctx;
  ctx.stop = &stop;
  std::string text = "a\n";
  for (int i = 0; i < 9000; ++i) text += "1\n";
  expect_error(ErrorCode::kInterrupted, "stopped", [&] { read_csv({{in_memory(text), Compression::kNone}}, {}, {}, ctx); });
}

TEST(Csv, TheSetsOfTheDataFolder) {
  const std::string letters = data_file("tabular/LetterRecognition.csv.gz");
  if (letters.empty()) GTEST_SKIP() << "no data folder: set SLUICE_DATA";
  Context ctx;
  const Table table = read_csv({{open_file(letters, {}), Compression::kGzip}}, {}, {}, ctx);
  EXPECT_EQ(table.rows, 20000);
  EXPECT_EQ(table.columns.size(), 17u);
  EXPECT_EQ(table.texts[0]->at(0), "T");
}

}  // namespace
}  // namespace sluice
