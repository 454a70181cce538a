#include "sluice/io/idx.h"

#include "sluice/io/io_testing.h"

namespace sluice {
namespace {

using namespace testing;
using Values = std::vector<double>;

void refuse(const std::string& content, const std::string& part, Compression compression = Compression::kNone) {
  expect_error(ErrorCode::kBadInput, part, [&] { read_idx(in_memory(content), compression, {}); });
}

const std::string kImages = bytes({0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 7, 255, 0, 9});

TEST(Idx, Images) {
  for (const auto& [content, compression] :
       {std::pair{kImages, Compression::kNone}, {gzip(kImages), Compression::kGzip}, {zstd(kImages), Compression::kZstd}}) {
    for (const bool to_file : {false, true}) {
      const Table table = read_idx(in_memory(content), compression, {int64_t{1} << 30, "", to_file});
      EXPECT_EQ(table.rows, 2);
      EXPECT_EQ(numbers_of(table), (Values{7, 255, 0, 9}));
      EXPECT_EQ(table.columns[1].type, ColumnType::kInteger);
    }
  }
}

TEST(Idx, OtherTypes) {
  EXPECT_EQ(numbers_of(read_idx(in_memory(bytes({0, 0, 9, 1, 0, 0, 0, 2, 255, 1})), Compression::kNone, {})), (Values{-1, 1}));
  EXPECT_EQ(numbers_of(read_idx(in_memory(bytes({0, 0, 11, 1, 0, 0, 0, 1, 255, 254})), Compression::kNone, {})), (Values{-2}));
  EXPECT_EQ(numbers_of(read_idx(in_memory(bytes({0, 0, 12, 1, 0, 0, 0, 1, 0, 0, 1, 0})), Compression::kNone, {})), (Values{256}));
  EXPECT_EQ(numbers_of(read_idx(in_memory(bytes({0, 0, 13, 1, 0, 0, 0, 1, 0x3f, 0xc0, 0, 0})), Compression::kNone, {})), (Values{1.5}));
  EXPECT_EQ(numbers_of(read_idx(in_memory(bytes({0, 0, 14, 1, 0, 0, 0, 1, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0})), Compression::kNone, {})),
            (Values{1.5}));
}

TEST(Idx, RefusesWhatIsDamaged) {
  refuse("", "ends in its header");
  refuse(bytes({1, 0, 8, 1, 0, 0, 0, 1, 5}), "first two bytes");
  refuse(bytes({0, 0, 10, 1, 0, 0, 0, 1, 5}), "names no type");
  refuse(bytes({0, 0, 8, 0}), "no dimensions");
  refuse(bytes({0, 0, 8, 1, 0, 0, 0, 0}), "no values");
  refuse(bytes({0, 0, 14, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}), "more than 2^63");
  refuse(kImages + "x", "holds 21 bytes where its header says 20");
  refuse(gzip(kImages + "x"), "holds more than the 20 bytes", Compression::kGzip);
  refuse(gzip(kImages) + "x", "after the end", Compression::kGzip);
  refuse(gzip(kImages.substr(0, 19)), "holds 19 bytes", Compression::kGzip);
  refuse(kImages, "not valid compressed data", Compression::kGzip);
  refuse(kImages, "not valid zstd", Compression::kZstd);
}

TEST(Idx, EveryTruncationIsRefused) {
  expect_truncations(kImages, false, [](const auto& file) { read_idx(file, Compression::kNone, {}); });
  expect_truncations(gzip(kImages), false, [](const auto& file) { read_idx(file, Compression::kGzip, {}); });
  expect_truncations(zstd(kImages), false, [](const auto& file) { read_idx(file, Compression::kZstd, {}); });
}

TEST(Idx, Mnist) {
  const std::string path = data_file("images/mnist/t10k-images-idx3-ubyte.gz");
  if (path.empty()) GTEST_SKIP() << "no data folder: set SLUICE_DATA";
  const Table table = read_idx(open_file(path, {}), Compression::kGzip, {});
  EXPECT_EQ(table.rows, 10000);
  EXPECT_EQ(table.columns.size(), 784u);
}

}  // namespace
}  // namespace sluice
