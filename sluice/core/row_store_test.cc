#include "sluice/core/row_store.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>

namespace sluice {
namespace {

namespace fs = std::filesystem;

class RowStoreTest : public ::testing::Test {
 protected:
  void SetUp() override { folder_ = fs::temp_directory_path() / ("sluice-row-store-" + std::to_string(::getpid())); }
  void TearDown() override { fs::remove_all(folder_); }
  int64_t files() const { return fs::exists(folder_) ? std::distance(fs::directory_iterator(folder_), fs::directory_iterator()) : 0; }
  fs::path folder_;
};

std::vector<double> all_values(const Source& source) {
  std::vector<double> all, scratch(static_cast<size_t>(source.cols()));
  BlockBuffer buffer;
  for (int64_t i = 0; i < source.rows(); ++i) {
    const double* row = source.read(i, 1, buffer).row(0, scratch.data());
    all.insert(all.end(), row, row + source.cols());
  }
  return all;
}

TEST_F(RowStoreTest, MemoryAndSpoolHoldTheSameRows) {
  std::mt19937_64 random(1);
  const int64_t rows = 3000, cols = 5;
  std::vector<double> values(static_cast<size_t>(rows * cols));
  for (double& x : values) x = static_cast<double>(random());
  for (const auto& [memory, to_file, spooled] :
       {std::tuple{int64_t{1} << 30, false, false}, {int64_t{10'000}, false, true}, {int64_t{1} << 30, true, true}}) {
    RowStore store(cols, {.memory = memory, .spool_dir = folder_.string(), .to_file = to_file});
    for (int64_t i = 0; i < rows; ++i) store.append(values.data() + i * cols);
    EXPECT_EQ(store.rows(), rows);
    EXPECT_EQ(!store.path().empty(), spooled);
    EXPECT_EQ(files(), spooled ? 1 : 0);
    auto source = store.finish();
    EXPECT_EQ(store.rows(), 0);
    EXPECT_EQ(source->rows(), rows);
    EXPECT_EQ(source->cols(), cols);
    EXPECT_EQ(all_values(*source), values);
    source.reset();
    EXPECT_EQ(files(), 0) << "the spool outlives its source";
  }
}

TEST_F(RowStoreTest, AnAbandonedStoreLeavesNoFile) {
  {
    RowStore store(1, {.spool_dir = folder_.string(), .to_file = true});
    const double x = 1;
    store.append(&x);
    EXPECT_EQ(files(), 1);
  }
  EXPECT_EQ(files(), 0);
}

TEST_F(RowStoreTest, EmptyStoresAreEmptySources) {
  for (const bool to_file : {false, true}) {
    RowStore store(3, {.spool_dir = folder_.string(), .to_file = to_file});
    EXPECT_EQ(store.finish()->rows(), 0);
  }
}

TEST_F(RowStoreTest, LeftoversOfADeadRunAreSteppedOver) {
  // The next name this process will use is already taken.
  const fs::path next = new_spool_path(folder_.string());
  const std::string name = next.filename().string();
  const auto number = std::stoll(name.substr(name.rfind('-') + 1));
  const fs::path taken = folder_ / (name.substr(0, name.rfind('-') + 1) + std::to_string(number + 1));
  std::ofstream(taken) << "left over";
  RowStore store(1, {.spool_dir = folder_.string(), .to_file = true});
  EXPECT_NE(store.path(), taken.string());
  EXPECT_EQ(fs::file_size(taken), 9U);
}

TEST_F(RowStoreTest, ABadFolderIsRefused) {
  std::ofstream(folder_) << "a file, not a folder";
  try {
    RowStore store(1, {.spool_dir = (folder_ / "spool").string(), .to_file = true});
    ADD_FAILURE();
  } catch (const Error& e) {
    EXPECT_EQ(e.code, ErrorCode::kIo);
  }
}

TEST(TextColumn, KeepsTextsAndGaps) {
  TextColumn column;
  column.append("one");
  column.append_missing();
  column.append("");
  column.append("four");
  EXPECT_EQ(column.rows(), 4);
  EXPECT_EQ(column.at(0), "one");
  EXPECT_TRUE(column.missing(1));
  EXPECT_EQ(column.at(1), "");
  EXPECT_FALSE(column.missing(2));
  EXPECT_EQ(column.at(2), "");
  EXPECT_EQ(column.at(3), "four");
}

TEST(TextColumn, RefusesMoreThanItsMemory) {
  TextColumn column(100);
  try {
    for (int i = 0; i < 100; ++i) column.append("0123456789");
    ADD_FAILURE();
  } catch (const Error& e) {
    EXPECT_EQ(e.code, ErrorCode::kMemory);
    EXPECT_LT(column.rows(), 10);
  }
}

}  // namespace
}  // namespace sluice
