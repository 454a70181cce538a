#include "sluice/io/baskets.h"

#include "sluice/io/encoding.h"
#include "sluice/io/io_testing.h"

namespace sluice {
namespace {

using testing::in_memory;

BasketSet read(const std::string& text, int64_t memory = int64_t{1} << 30) {
  Context ctx;
  ctx.memory = memory;
  return read_baskets({{in_memory(text, "b.dat"), Compression::kNone}}, ctx);
}

std::string error_of(const std::string& text) {
  try {
    read(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.code, ErrorCode::kBadInput);
    return error.what();
  }
  return "no error";
}

std::vector<std::vector<std::string>> lines_of(const BasketSet& set) {
  std::vector<std::vector<std::string>> out;
  for (int64_t i = 0; i < set.rows(); ++i) {
    out.emplace_back();
    for (const int32_t item : set.basket(i)) out.back().push_back(set.numbers[static_cast<size_t>(item)]);
  }
  return out;
}

TEST(Baskets, ItemsAscendAndCountOnce) {
  const BasketSet set = read("10 2 3\n2 2\t 007 10\n9223372036854775807 3\n");
  EXPECT_EQ(lines_of(set), (std::vector<std::vector<std::string>>{{"2", "3", "10"}, {"2", "7", "10"}, {"3", "9223372036854775807"}}));
  EXPECT_EQ(set.numbers, (std::vector<std::string>{"2", "3", "7", "10", "9223372036854775807"}));
}

TEST(Baskets, EmptyLinesAreEmptyBaskets) {
  EXPECT_EQ(lines_of(read("1\n\n  \n2\n")), (std::vector<std::vector<std::string>>{{"1"}, {}, {}, {"2"}}));
  EXPECT_EQ(read("1\n\n").rows(), 2);
  EXPECT_EQ(read("1").rows(), 1);
}

TEST(Baskets, LineEndsOfEveryKind) {
  EXPECT_EQ(lines_of(read("1 2\r\n\r\n3 \r\n")), (std::vector<std::vector<std::string>>{{"1", "2"}, {}, {"3"}}));
  EXPECT_EQ(lines_of(read("1 2\n3")), (std::vector<std::vector<std::string>>{{"1", "2"}, {"3"}}));
}

TEST(Baskets, ErrorsNameLineAndByte) {
  EXPECT_NE(error_of("1\n2 milk\n").find("b.dat:2: byte 3 is 'm'"), std::string::npos) << error_of("1\n2 milk\n");
  EXPECT_NE(error_of("1 -2\n").find("b.dat:1: byte 3 is '-'"), std::string::npos);
  EXPECT_NE(error_of("1\n1,2\n").find("b.dat:2: byte 2 is ','"), std::string::npos);
  EXPECT_NE(error_of("5 9223372036854775808\n").find("b.dat:1: byte 3 begins a number past 2^63 - 1"), std::string::npos);
  EXPECT_NE(error_of("1 99999999999999999999999999\n").find("byte 3 begins a number past"), std::string::npos);
  EXPECT_NE(error_of(std::string("1 \0 2\n", 6)).find("byte 3 is 0x00"), std::string::npos);
  EXPECT_NE(error_of("1\r2\n").find("byte 2 is 0x0d"), std::string::npos);
  EXPECT_NE(error_of("").find("it holds no baskets"), std::string::npos);
}

TEST(Baskets, SeveralFilesAreOneSet) {
  Context ctx;
  const BasketSet set =
      read_baskets({{in_memory("5 1\n"), Compression::kNone}, {in_memory(testing::gzip("3\n\n"), "z"), Compression::kGzip}}, ctx);
  EXPECT_EQ(lines_of(set), (std::vector<std::vector<std::string>>{{"1", "5"}, {"3"}, {}}));
}

TEST(Baskets, MemoryIsAskedForFirst) {
  std::string text;
  for (int i = 0; i < 300'000; ++i) text += "1 2 3\n";
  EXPECT_EQ(read(text).rows(), 300'000);
  try {
    read(text, 4 << 20);
    FAIL() << "four bytes an item did not fit";
  } catch (const Error& error) {
    EXPECT_EQ(error.code, ErrorCode::kMemory);
  }
}

}  // namespace
}  // namespace sluice
