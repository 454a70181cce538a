#include "sluice/io/npy.h"

#include <cmath>
#include <numeric>

#include "sluice/io/io_testing.h"

namespace sluice {
namespace {

using namespace testing;
using Values = std::vector<double>;

// A version 1.0 file with this header text, as numpy writes it.
std::string npy(const std::string& dictionary, const std::string& data, int version = 1) {
  std::string text = dictionary + "\n";
  std::string file =
      bytes({0x93, 'N', 'U', 'M', 'P', 'Y', version, 0, static_cast<int>(text.size() & 255), static_cast<int>(text.size() >> 8)});
  if (version > 1) file += bytes({0, 0});
  return file + text + data;
}

std::string dictionary(const std::string& descr, const std::string& shape, bool fortran = false) {
  return "{'descr': '" + descr + "', 'fortran_order': " + (fortran ? "True" : "False") + ", 'shape': " + shape + ", }";
}

template <class T>
std::string raw(std::initializer_list<T> values, bool swap = false) {
  std::string out;
  for (const T value : values) {
    std::string one(reinterpret_cast<const char*>(&value), sizeof value);
    if (swap) std::reverse(one.begin(), one.end());
    out += one;
  }
  return out;
}

Table parse(const std::string& content, StoreOptions store = {}) {
  return read_npy(in_memory(content, "x.npy"), store);
}

void refuse(const std::string& content, const std::string& part) {
  expect_error(ErrorCode::kBadInput, part, [&] { parse(content); });
}

TEST(Npy, EveryNumericType) {
  const Values expected{1, 0, 1, 1};
  EXPECT_EQ(numbers_of(parse(npy(dictionary("<f8", "(2, 2)"), raw<double>({1, 0, 1, 1})))), expected);
  EXPECT_EQ(numbers_of(parse(npy(dictionary("<f4", "(2, 2)"), raw<float>({1, 0, 1, 1})))), expected);
  EXPECT_EQ(numbers_of(parse(npy(dictionary("<f2", "(2, 2)"), raw<uint16_t>({0x3c00, 0, 0x3c00, 0x3c00})))), expected);
  EXPECT_EQ(numbers_of(parse(npy(dictionary("<i8", "(2, 2)"), raw<int64_t>({1, 0, 1, 1})))), expected);
  EXPECT_EQ(numbers_of(parse(npy(dictionary("<i4", "(2, 2)"), raw<int32_t>({1, 0, 1, 1})))), expected);
  EXPECT_EQ(numbers_of(parse(npy(dictionary("<i2", "(2, 2)"), raw<int16_t>({1, 0, 1, 1})))), expected);
  EXPECT_EQ(numbers_of(parse(npy(dictionary("|i1", "(2, 2)"), raw<int8_t>({1, 0, 1, 1})))), expected);
  EXPECT_EQ(numbers_of(parse(npy(dictionary("<u8", "(2, 2)"), raw<uint64_t>({1, 0, 1, 1})))), expected);
  EXPECT_EQ(numbers_of(parse(npy(dictionary("=u4", "(2, 2)"), raw<uint32_t>({1, 0, 1, 1})))), expected);
  EXPECT_EQ(numbers_of(parse(npy(dictionary("<u2", "(2, 2)"), raw<uint16_t>({1, 0, 1, 1})))), expected);
  EXPECT_EQ(numbers_of(parse(npy(dictionary("|u1", "(2, 2)"), raw<uint8_t>({1, 0, 1, 1})))), expected);
  EXPECT_EQ(numbers_of(parse(npy(dictionary("|b1", "(2, 2)"), raw<uint8_t>({1, 0, 1, 1})))), expected);
  EXPECT_EQ(parse(npy(dictionary("|u1", "(2, 2)"), raw<uint8_t>({1, 0, 1, 1}))).columns[1].type, ColumnType::kInteger);
  EXPECT_EQ(parse(npy(dictionary("<f4", "(1, 1)"), raw<float>({1}))).columns[0].type, ColumnType::kReal);
}

TEST(Npy, BigEndianValues) {
  EXPECT_EQ(numbers_of(parse(npy(dictionary(">f8", "(2,)"), raw<double>({1.5, -2}, true)))), (Values{1.5, -2}));
  EXPECT_EQ(numbers_of(parse(npy(dictionary(">i4", "(2,)"), raw<int32_t>({300, -2}, true)))), (Values{300, -2}));
  EXPECT_EQ(numbers_of(parse(npy(dictionary(">i8", "(1,)"), raw<int64_t>({-300}, true)))), (Values{-300}));
}

TEST(Npy, OneAndManyDimensions) {
  const Table line = parse(npy(dictionary("|u1", "(3,)"), raw<uint8_t>({1, 2, 3})));
  EXPECT_EQ(line.rows, 3);
  EXPECT_EQ(line.columns.size(), 1u);
  EXPECT_EQ(names_of(line)[0], "c0");
  const Table images = parse(npy(dictionary("|u1", "(2, 2, 2)"), raw<uint8_t>({1, 2, 3, 4, 5, 6, 7, 8})));
  EXPECT_EQ(images.rows, 2);
  EXPECT_EQ(images.columns.size(), 4u);
  EXPECT_EQ(numbers_of(images), (Values{1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST(Npy, FortranOrder) {
  EXPECT_EQ(numbers_of(parse(npy(dictionary("|u1", "(2, 3)", true), raw<uint8_t>({1, 4, 2, 5, 3, 6})))), (Values{1, 2, 3, 4, 5, 6}));
  // Value 100 i + 10 j + k at (i, j, k), of shape (2, 3, 4): i runs fastest.
  std::string data;
  for (int k = 0; k < 4; ++k) {
    for (int j = 0; j < 3; ++j) {
      for (int i = 0; i < 2; ++i) data += raw<int32_t>({100 * i + 10 * j + k}, true);
    }
  }
  const Values values = numbers_of(parse(npy(dictionary(">i4", "(2, 3, 4)", true), data)));
  ASSERT_EQ(values.size(), 24u);
  for (int c = 0; c < 24; ++c) EXPECT_EQ(values[static_cast<size_t>(c)], 100 * (c / 12) + 10 * (c / 4 % 3) + c % 4);
}

TEST(Npy, LargeFortranOrderInBlocksAndOnDisk) {
  const int rows = 70000;
  const int cols = 5;
  std::vector<double> columns(static_cast<size_t>(rows) * cols);
  std::iota(columns.begin(), columns.end(), 0.0);
  const std::string data(reinterpret_cast<const char*>(columns.data()), columns.size() * 8);
  for (const int64_t memory : {int64_t{1} << 40, int64_t{1000}}) {
    const Table table = parse(npy(dictionary("<f8", "(70000, 5)", true), data), {memory, "", false});
    BlockBuffer buffer;
    const MatrixBlock block = table.numbers->read(0, rows, buffer);
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < cols; ++j)
        ASSERT_EQ(static_cast<const double*>(block.data)[i * block.stride + j], static_cast<double>(j * rows + i));
    }
  }
}

TEST(Npy, IntegersPast2To53AreRefusedByRow) {
  EXPECT_EQ(numbers_of(parse(npy(dictionary("<i8", "(2,)"), raw<int64_t>({int64_t{1} << 53, -(int64_t{1} << 53)}))))[0],
            9007199254740992.0);
  refuse(npy(dictionary("<i8", "(2, 2)"), raw<int64_t>({1, 2, 3, (int64_t{1} << 53) + 1})), "row 1: holds an integer past 2^53");
  refuse(npy(dictionary("<i8", "(2, 2)"), raw<int64_t>({1, 2, INT64_MIN, 4})), "row 1");
  refuse(npy(dictionary("<i8", "(2, 2)", true), raw<int64_t>({1, 2, INT64_MAX, 4})), "row 0");
  refuse(npy(dictionary(">u8", "(2,)"), raw<uint64_t>({1, UINT64_MAX}, true)), "row 1");
}

TEST(Npy, Versions) {
  EXPECT_EQ(parse(npy(dictionary("|u1", "(1,)"), "a", 2)).rows, 1);
  EXPECT_EQ(parse(npy(dictionary("|u1", "(1,)"), "a", 3)).rows, 1);
  EXPECT_EQ(parse(npy(dictionary("|u1", "(1L,)"), "a")).rows, 1);
  EXPECT_EQ(parse(npy("{\"shape\":(1,),\"fortran_order\":False,\"descr\":\"|u1\"}", "a")).rows, 1);
  refuse(npy(dictionary("|u1", "(1,)"), "a", 4), "unknown version 4.0");
}

TEST(Npy, RefusesOtherTypesByName) {
  refuse(npy(dictionary("|O", "(1,)"), "12345678"), "pickle");
  refuse(npy(dictionary("<c16", "(1,)"), std::string(16, 'x')), "complex");
  refuse(npy(dictionary("|S3", "(1,)"), "abc"), "strings (|S3)");
  refuse(npy(dictionary("<U1", "(1,)"), "abcd"), "strings");
  refuse(npy(dictionary("<M8[ns]", "(1,)"), "12345678"), "dates");
  refuse(npy(dictionary("<V2", "(1,)"), "12"), "raw bytes");
  refuse(npy(dictionary("<f16", "(1,)"), std::string(16, 'x')), "unknown type (<f16)");
  refuse(npy("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }", "12345678"), "structures");
  refuse(npy(dictionary("f8", "(1,)"), "12345678"), "byte order");
}

TEST(Npy, LyingHeaders) {
  refuse(npy(dictionary("<f8", "(2, 2)"), raw<double>({1, 2, 3})), "holds 24 bytes of data where its header says 32");
  refuse(npy(dictionary("<f8", "(2, 2)"), raw<double>({1, 2, 3, 4, 5})), "something was added");
  refuse(npy(dictionary("<f8", "(9223372036854775807,)"), "x"), "more than 2^63");
  refuse(npy(dictionary("<f8", "(9223372036854775808,)"), "x"), "not a count");
  refuse(npy(dictionary("<f8", "(4294967296, 4294967296)"), "x"), "more than 2^63");
  refuse(npy(dictionary("<f8", "(0, 4294967296, 4294967296)"), ""), "more than 2^63");
  refuse(npy(dictionary("<f8", "(-1, -1)"), "12345678"), "not a count");
  refuse(npy(dictionary("<f8", "(0, 3)"), ""), "no rows");
  refuse(npy(dictionary("<f8", "(3, 0)"), ""), "no columns");
  refuse(npy(dictionary("<f8", "()"), "12345678"), "without dimensions");
  refuse(npy("{'descr': '<f8', 'fortran_order': False, }", ""), "without descr");
  refuse(npy("{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (1,), }", ""), "repeated key 'descr'");
  refuse(npy(dictionary("<f8", "(1,)") + "x", "12345678"), "damaged header");
  refuse("not numpy at all", "not an npy file");
  refuse("", "not an npy file");
  refuse(bytes({0x93, 'N', 'U', 'M', 'P', 'Y', 2, 0, 255, 255, 255, 255}), "longer than any array");
}

TEST(Npy, EveryTruncationIsRefused) {
  for (const bool fortran : {false, true}) {
    expect_truncations(npy(dictionary("<f8", "(2, 3)", fortran), raw<double>({1, 2, 3, 4, 5, 6})), false,
                       [](const auto& file) { read_npy(file, {}); });
  }
}

TEST(Npy, HeadersWeWriteAreReadBack) {
  for (const auto& [descr, rows, cols, size] : {std::tuple{"<i4", 3, -1, 4}, {"|u1", 3, -1, 1}, {"<i8", 3, -1, 8}, {"<f8", 3, 2, 8}}) {
    const std::string header = write_npy_header(descr, rows, cols);
    EXPECT_EQ(header.size() % 64, 0u);
    const Table table = parse(header + std::string(static_cast<size_t>(rows * std::abs(cols) * size), '\0'));
    EXPECT_EQ(table.rows, rows);
    EXPECT_EQ(static_cast<int>(table.columns.size()), std::abs(cols));
  }
}

// Reading leaves the file as the source: no copy, and a read of rows in the middle.
TEST(Npy, ReadsFromAFile) {
  const TempDir dir;
  const std::string path = dir.file("x.npy", npy(dictionary("<f4", "(3, 2)"), raw<float>({1, 2, 3, 4, 5, 6})));
  const Table table = read_npy(open_file(path, {}), {});
  EXPECT_NE(dynamic_cast<const FileSource*>(table.numbers.get()), nullptr);
  BlockBuffer buffer;
  const MatrixBlock block = table.numbers->read(1, 2, buffer);
  EXPECT_EQ(block.first_row, 1);
  EXPECT_EQ(static_cast<const float*>(block.data)[block.stride], 5.0F);
}

}  // namespace
}  // namespace sluice
