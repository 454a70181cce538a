#include "sluice/core/plugin.h"

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "sluice/core/error.h"

namespace sluice {

namespace fs = std::filesystem;

namespace {

std::string one_line(std::string text) {
  std::replace_if(text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return text;
}

void add(std::vector<std::string>& folders, const fs::path& folder) {
  if (std::find(folders.begin(), folders.end(), folder.string()) == folders.end()) folders.push_back(folder.string());
}

void add_around(std::vector<std::string>& folders, const fs::path& file) {
  if (!file.has_parent_path()) return;
  add(folders, file.parent_path());
  add(folders, file.parent_path().parent_path() / "lib");
}

void* load_file(const std::string& path) {
  return dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
}

// The library, or null when there is none; throws when there is one that does not load.
void* find_library(const std::string& file, const std::string& remedy) {
  for (const std::string& folder : plugin_folders()) {
    const fs::path path = fs::path(folder) / file;
    std::error_code ignored;
    if (!fs::exists(path, ignored)) continue;
    if (void* library = load_file(path.string())) return library;
    const char* why = dlerror();
    fail(ErrorCode::kIo, path.string(), one_line(why == nullptr ? "can't be loaded" : why), remedy);
  }
  return load_file(file);
}

}  // namespace

std::vector<std::string> plugin_folders() {
  std::vector<std::string> folders;
  if (const char* named = secure_getenv("SLUICE_PLUGIN_DIR"); named != nullptr && *named != 0) add(folders, named);
  std::error_code ignored;
  add_around(folders, fs::read_symlink("/proc/self/exe", ignored));
  Dl_info self{};
  if (dladdr(reinterpret_cast<const void*>(&plugin_folders), &self) != 0 && self.dli_fname != nullptr) {
    add_around(folders, fs::absolute(self.dli_fname, ignored));
  }
  return folders;
}

const void* open_plugin(const std::string& name, uint32_t version, const std::string& need, const std::string& remedy) {
  const std::string file = "libsluice_" + name + ".so";
  void* library = find_library(file, remedy);
  if (library == nullptr) fail(ErrorCode::kUsage, file, need + " needs this library, and it is not installed", remedy);
  using Entry = const void* (*)();
  const auto entry = reinterpret_cast<Entry>(dlsym(library, ("sluice_plugin_" + name).c_str()));
  if (entry == nullptr) fail(ErrorCode::kUsage, file, "it is not a plug-in of sluice", remedy);
  const void* table = entry();
  uint32_t theirs = 0;
  if (table != nullptr) std::memcpy(&theirs, table, sizeof theirs);
  if (theirs != version) {
    fail(ErrorCode::kUsage, file, "its version is " + std::to_string(theirs) + " and this program needs " + std::to_string(version),
         "install the program and its libraries from one build");
  }
  return table;
}

}  // namespace sluice
