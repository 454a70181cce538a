#include "sluice/io/arrow_reader.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "sluice/core/error.h"
#include "sluice/core/plugin.h"
#include "sluice/core/random.h"
#include "sluice/io/arrow_plugin/arrow_table.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

const fs::path kData = fs::path(__FILE__).parent_path() / "testdata";

// The plug-in is there or the test is skipped; but a broken one fails.
bool have_arrow() {
  try {
    plugin<ArrowTable>("arrow", "this test", "build it");
    return true;
  } catch (const Error& error) {
    if (error.code != ErrorCode::kUsage) throw;
    return false;
  }
}
#define NEED_ARROW() \
  if (!have_arrow()) GTEST_SKIP() << "libsluice_arrow.so is not there (no pyarrow when it was built)"

Table read(const fs::path& path) {
  return read_arrow(path.string(), {}, {});
}

ErrorCode code_of(const fs::path& path, std::string* line = nullptr) {
  try {
    read(path);
  } catch (const Error& error) {
    if (line != nullptr) *line = error.what();
    return error.code;
  }
  return ErrorCode{0};
}

double value(const Table& table, const std::string& name, int64_t row) {
  const TableColumn& column = table.columns[static_cast<size_t>(table.find(name))];
  BlockBuffer buffer;
  const MatrixBlock block = table.numbers->read(row, 1, buffer);
  std::vector<double> scratch(static_cast<size_t>(block.cols));
  return block.row(0, scratch.data())[column.index];
}

const TextColumn& texts(const Table& table, const std::string& name) {
  return *table.texts[static_cast<size_t>(table.columns[static_cast<size_t>(table.find(name))].index)];
}

class ArrowTypes : public ::testing::TestWithParam<const char*> {};

TEST_P(ArrowTypes, EveryTypeComesAsItsValue) {
  NEED_ARROW();
  const Table table = read(kData / GetParam());
  ASSERT_EQ(table.rows, 300);
  ASSERT_EQ(table.columns.size(), 16u);
  for (int64_t i = 0; i < 300; ++i) {
    const auto x = static_cast<double>(i);
    EXPECT_EQ(value(table, "i8", i), static_cast<double>(i % 100 - 50));
    EXPECT_EQ(value(table, "i16", i), x * 100 - 9000);
    EXPECT_EQ(value(table, "i32", i), x * 1000003 - 5);
    EXPECT_EQ(value(table, "i64", i), x * 0x1p44 - 7);
    EXPECT_EQ(value(table, "u8", i), static_cast<double>(i % 256));
    EXPECT_EQ(value(table, "u32", i), x * 14000000);
    EXPECT_EQ(value(table, "u64", i), x * 0x1p44);
    if (i % 7 == 3) {
      EXPECT_TRUE(std::isnan(value(table, "f32", i)));
    } else {
      EXPECT_EQ(value(table, "f32", i), x / 8);
    }
    EXPECT_EQ(std::isnan(value(table, "f64", i)) ? -1 : value(table, "f64", i), i % 11 == 3 ? -1 : x / 10);
    EXPECT_EQ(std::isnan(value(table, "yes", i)) ? -1 : value(table, "yes", i), i % 13 == 3 ? -1 : (i % 3 == 0 ? 1 : 0));
    EXPECT_EQ(value(table, "price", i), std::stod(std::to_string(i - 100)) / 100) << i;
    EXPECT_EQ(texts(table, "name").missing(i), i % 5 == 3);
    EXPECT_EQ(texts(table, "name").at(i), i % 5 == 3 ? "" : "név " + std::to_string(i));
    EXPECT_EQ(texts(table, "kind").at(i), std::vector<std::string>({"red", "green", "blue"})[static_cast<size_t>(i % 3)]);
  }
  EXPECT_EQ(texts(table, "day").at(59), "2024-02-29");
  const auto type = [&](const char* name) { return table.columns[static_cast<size_t>(table.find(name))].type; };
  EXPECT_EQ(type("i8"), ColumnType::kInteger);
  EXPECT_EQ(type("yes"), ColumnType::kInteger);
  EXPECT_EQ(type("f64"), ColumnType::kReal);
  EXPECT_EQ(type("price"), ColumnType::kReal);
  const TableColumn& big = table.columns[15];
  EXPECT_EQ(big.type, ColumnType::kText);
  EXPECT_TRUE(big.beyond_double);
  EXPECT_EQ(texts(table, "big").at(250), "9007199254740993");
  EXPECT_EQ(texts(table, "big").at(299), "299");
}

INSTANTIATE_TEST_SUITE_P(Formats, ArrowTypes, ::testing::Values("types.parquet", "types.feather", "types.arrow", "types_stream.arrow"));

class ArrowLists : public ::testing::TestWithParam<const char*> {};

TEST_P(ArrowLists, AListIsAColumnForEachPlace) {
  NEED_ARROW();
  const Table table = read(kData / GetParam());
  ASSERT_EQ(table.rows, 40);
  ASSERT_EQ(table.columns.size(), 1u + 4 * 4 + 2);
  EXPECT_EQ(table.columns[1].name, "f32_0");
  EXPECT_EQ(table.columns[4].name, "f32_3");
  for (int64_t i = 0; i < 40; ++i) {
    for (int64_t j = 0; j < 4; ++j) {
      const double expected = static_cast<double>(4 * i + j) / 4;
      for (const char* name : {"f32_", "f16_", "bf16_"}) EXPECT_EQ(value(table, name + std::to_string(j), i), expected);
      const double var = value(table, "var_" + std::to_string(j), i);
      EXPECT_EQ(std::isnan(var) ? -1 : var, i == 2 ? -1 : expected);
    }
    EXPECT_EQ(value(table, "one", i), static_cast<double>(i) / 2);
  }
  EXPECT_EQ(texts(table, "key").at(31), "1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f");
}

INSTANTIATE_TEST_SUITE_P(Formats, ArrowLists, ::testing::Values("lists.parquet", "lists.arrow"));

TEST(ArrowReader, RefusesByName) {
  NEED_ARROW();
  std::string line;
  EXPECT_EQ(code_of(kData / "struct.parquet", &line), ErrorCode::kBadInput);
  EXPECT_NE(line.find("column 's' is of type struct<a: int64>"), std::string::npos) << line;
  EXPECT_EQ(code_of(kData / "ragged.parquet", &line), ErrorCode::kBadInput);
  EXPECT_NE(line.find("column 'v', row 1 holds a list of 1 where 2 are expected"), std::string::npos) << line;
  EXPECT_EQ(code_of(kData / "empty.parquet", &line), ErrorCode::kBadInput);
  EXPECT_NE(line.find("no rows"), std::string::npos) << line;
  EXPECT_EQ(code_of(kData / "no such file", &line), ErrorCode::kIo);
  EXPECT_EQ(code_of(kData / "make_arrow.py", &line), ErrorCode::kBadInput);
  EXPECT_EQ(line.find('\n'), std::string::npos);
}

TEST(ArrowReader, MemoryForTextsIsBounded) {
  NEED_ARROW();
  StoreOptions store;
  store.memory = 1000;
  try {
    read_arrow((kData / "types.parquet").string(), {}, store);
    FAIL() << "read";
  } catch (const Error& error) {
    EXPECT_EQ(error.code, ErrorCode::kMemory);
  }
}

std::string bytes_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// One of the ways in which files come damaged; `whole` files are damaged differently for each number.
std::string damaged(std::string bytes, int64_t number, Random& random) {
  const auto below = [&](size_t n) { return static_cast<size_t>(random.below(n)); };
  switch (number % 4) {
    case 0:
      bytes.resize(below(bytes.size()));
      break;
    case 1:
      bytes[below(std::min<size_t>(bytes.size(), 200))] ^= static_cast<char>(1 << below(8));
      break;
    case 2:
      bytes.replace(below(bytes.size() - 8), 8, 8, '\xff');
      break;
    default: {
      const size_t at = 1 + below(bytes.size() - 1);
      const size_t from = at < 30 ? 0 : at - 30;
      bytes.insert(at, bytes.substr(from, at - from));
    }
  }
  return bytes;
}

class DamagedArrow : public ::testing::TestWithParam<const char*> {};

// Damage ends in an error of the contract, or in a table where it still can be read; never in a crash or a hang. What is cut is refused.
TEST_P(DamagedArrow, IsRefusedOrRead) {
  NEED_ARROW();
  const std::string whole = bytes_of(kData / GetParam());
  const fs::path path = fs::temp_directory_path() / ("sluice-damaged-" + std::to_string(getpid()) + "-" + GetParam());
  const char* more = std::getenv("SLUICE_DAMAGED_FILES");
  const int64_t rounds = more == nullptr ? 60 : std::stoll(more);
  int refused = 0;
  for (int64_t k = 0; k < rounds; ++k) {
    Random random(1, RandomStage::kSubsample, static_cast<uint64_t>(k));
    const std::string bad = damaged(whole, k, random);
    std::ofstream(path, std::ios::binary) << bad;
    std::string line;
    const ErrorCode code = code_of(path, &line);
    EXPECT_TRUE(code == ErrorCode{0} || code == ErrorCode::kBadInput || code == ErrorCode::kMemory) << line;
    EXPECT_EQ(line.find('\n'), std::string::npos) << line;
    EXPECT_TRUE(k % 4 != 0 || code == ErrorCode::kBadInput) << "cut to " << bad.size() << " bytes";
    if (code != ErrorCode{0}) ++refused;
  }
  fs::remove(path);
  EXPECT_GE(refused, rounds / 4);
}

INSTANTIATE_TEST_SUITE_P(Files, DamagedArrow,
                         ::testing::Values("types.parquet", "types.feather", "types.arrow", "types_stream.arrow", "lists.parquet",
                                           "lists.arrow"));

}  // namespace
}  // namespace sluice
