#include "sluice/core/plugin.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "sluice/core/error.h"

namespace sluice {
namespace {

class PluginTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("sluice-plugin-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
    setenv("SLUICE_PLUGIN_DIR", folder_.c_str(), 1);
  }
  void TearDown() override {
    unsetenv("SLUICE_PLUGIN_DIR");
    std::filesystem::remove_all(folder_);
  }
  std::filesystem::path folder_;
};

TEST_F(PluginTest, TheNamedFolderComesFirst) {
  EXPECT_EQ(plugin_folders().front(), folder_.string());
}

TEST_F(PluginTest, AMissingOneIsRefusedWithWhatToInstall) {
  try {
    open_plugin("nosuch", 1, "reading tea leaves", "install the tea package");
    FAIL() << "opened";
  } catch (const Error& error) {
    EXPECT_EQ(error.code, ErrorCode::kUsage);
    EXPECT_EQ(std::string(error.what()),
              "libsluice_nosuch.so: reading tea leaves needs this library, and it is not installed; install the tea package");
  }
}

TEST_F(PluginTest, AFileThatDoesNotLoadIsAnErrorOfItsOwn) {
  std::ofstream(folder_ / "libsluice_broken.so") << "not a library";
  try {
    open_plugin("broken", 1, "this test", "install it again");
    FAIL() << "opened";
  } catch (const Error& error) {
    EXPECT_EQ(error.code, ErrorCode::kIo);
    EXPECT_EQ(error.where, (folder_ / "libsluice_broken.so").string());
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace sluice
