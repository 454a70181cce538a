#include "sluice/pipeline/output_dir.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>

#include "sluice/core/error.h"
#include "sluice/pipeline/checkpoint.h"
#include "sluice/pipeline/files.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

class OutputDirTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::temp_directory_path() / ("sluice-out-test-" + std::to_string(::getpid()));
    fs::remove_all(root_);
    fs::create_directories(root_);
    dir_ = (root_ / "run").string();
  }
  void TearDown() override { fs::remove_all(root_); }
  void write_run(const std::string& content) {
    OutputDir out(dir_, false, ctx_);
    fs::create_directories(out.path("sub"));
    write_file(out.path("sub/a.txt"), content);
    write_file(out.path("run.json"), std::string("{}"));
    out.commit({{"sluice", "test"}});
  }
  ErrorCode code_of(bool overwrite = false) {
    try {
      OutputDir out(dir_, overwrite, ctx_);
    } catch (const Error& error) {
      return error.code;
    }
    return ErrorCode::kBug;
  }
  fs::path root_;
  std::string dir_;
  Context ctx_;
};

TEST_F(OutputDirTest, CommitsVerifiesAndReplaces) {
  write_run("one");
  EXPECT_TRUE(verify_dir(dir_).empty());
  write_run("two");
  EXPECT_EQ(read_text_file(dir_ + "/sub/a.txt"), "two");
  EXPECT_TRUE(verify_dir(dir_).empty());
  EXPECT_FALSE(fs::exists(dir_ + ".work"));
}

TEST_F(OutputDirTest, VerifyNamesWhatDiffers) {
  write_run("one");
  write_file(dir_ + "/sub/a.txt", std::string("onf"));
  write_file(dir_ + "/extra", std::string("x"));
  const auto differ = verify_dir(dir_);
  ASSERT_EQ(differ.size(), 2U);
  EXPECT_EQ(differ[0], "sub/a.txt: its content has changed");
  EXPECT_EQ(differ[1], "extra: not in the manifest");
  fs::remove(dir_ + "/sub/a.txt");
  EXPECT_EQ(verify_dir(dir_)[0], "sub/a.txt: missing");
  write_file(dir_ + "/manifest.json", std::string("{\"files\": 3}"));
  EXPECT_THROW(verify_dir(dir_), Error);
}

TEST_F(OutputDirTest, FailedRunLeavesNothingAndTheEarlierRun) {
  write_run("one");
  {
    OutputDir out(dir_, false, ctx_);
    write_file(out.path("half"), std::string("x"));
  }
  EXPECT_FALSE(fs::exists(dir_ + ".work"));
  EXPECT_TRUE(verify_dir(dir_).empty());
}

TEST_F(OutputDirTest, RefusesForeignFoldersAndFiles) {
  fs::create_directories(dir_);
  write_file(dir_ + "/mine.txt", std::string("x"));
  EXPECT_EQ(code_of(), ErrorCode::kUsage);
  EXPECT_TRUE(fs::exists(dir_ + "/mine.txt"));
  {
    OutputDir out(dir_, true, ctx_);
  }
  fs::remove_all(dir_);
  write_file(dir_, std::string("a file"));
  EXPECT_EQ(code_of(true), ErrorCode::kUsage);
}

TEST_F(OutputDirTest, ASecondRunIsLockedOut) {
  const OutputDir first(dir_, false, ctx_);
  EXPECT_EQ(code_of(), ErrorCode::kLocked);
}

TEST_F(OutputDirTest, CheckpointsBelongToOneRunAndSayWhenDamaged) {
  Bytes state(100, std::byte{7});
  const std::string folder = (root_ / "checkpoints").string();
  {
    CheckpointFolder kept(folder, "this run", ctx_);
    kept.save("k", state, true);
    EXPECT_EQ(kept.load("k"), state);
  }
  CheckpointFolder other(folder, "another run", ctx_);
  EXPECT_TRUE(other.load("k").empty());
  CheckpointFolder same(folder, "this run", ctx_);
  EXPECT_EQ(same.load("k"), state);
  std::string file = read_text_file(folder + "/k");
  file.back() = 8;
  write_file(folder + "/k", file);
  EXPECT_THROW(same.load("k"), Error);
  write_file(folder + "/k", file.substr(0, file.size() / 2));
  EXPECT_THROW(same.load("k"), Error);
}

TEST(Sha256, KnownAnswer) {
  const std::string text = "abc";
  EXPECT_EQ(sha256_hex(std::as_bytes(std::span<const char>(text))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(JsonText, SortsKeysAndRoundTripsNumbers) {
  const Json value = {{"b", 0.1}, {"a", {1, 2}}, {"c", std::nan("")}, {"d", "x\"\n\xff"}, {"e", Json::array()}};
  EXPECT_EQ(to_json_text(value),
            "{\n  \"a\": [1, 2],\n  \"b\": 0.1,\n  \"c\": null,\n  \"d\": \"x\\\"\\n\xEF\xBF\xBD\",\n  \"e\": []\n}\n");
}

}  // namespace
}  // namespace sluice
