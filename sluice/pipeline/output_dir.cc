#include "sluice/pipeline/output_dir.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "sluice/pipeline/files.h"

namespace fs = std::filesystem;

namespace sluice {
namespace {

[[noreturn]] void io_error(const std::string& path, const std::string& what) {
  fail(ErrorCode::kIo, path, what + ": " + std::strerror(errno), "check the path, the permissions and the space on the disk");
}

bool written_by_us(const fs::path& dir) {
  std::error_code error;
  if (!fs::is_regular_file(dir / "manifest.json", error)) return false;
  const Json manifest = Json::parse(read_text_file((dir / "manifest.json").string()), nullptr, false);
  return manifest.is_object() && manifest.contains("sluice") && manifest.contains("files");
}

int rename_with(const std::string& from, const std::string& to, unsigned flags) {
  return static_cast<int>(::syscall(SYS_renameat2, AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags));
}

// `work` becomes `dir`; what was there goes.
void put_in_place(const std::string& work, const std::string& dir) {
  std::error_code error;
  if (!fs::exists(dir, error)) {
    if (::rename(work.c_str(), dir.c_str()) != 0) io_error(dir, "the finished run can't be put in its place");
  } else if (rename_with(work, dir, RENAME_EXCHANGE) == 0) {
    fs::remove_all(work, error);
  } else {  // a file system without exchange: a moment without DIR, but never a mixed one
    const std::string old = work + ".old";
    fs::remove_all(old, error);
    if (::rename(dir.c_str(), old.c_str()) != 0 || ::rename(work.c_str(), dir.c_str()) != 0)
      io_error(dir, "the finished run can't be put in its place");
    fs::remove_all(old, error);
  }
  sync_path(fs::path(dir).parent_path().string());
}

// Files below `dir`, as relative paths in sorted order.
std::vector<std::string> files_below(const std::string& dir) {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(dir)) {
    if (entry.is_regular_file()) names.push_back(fs::relative(entry.path(), dir).generic_string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool is_record(const std::string& name) {
  const std::string base = fs::path(name).filename().string();
  return base == "run.json" || name == "manifest.json";
}

// An exclusive lock on a folder, -1 if another process holds it. The folder is made when needed.
int lock_folder(const std::string& path) {
  for (int attempt = 0; attempt < 100; ++attempt) {
    std::error_code error;
    fs::create_directories(path, error);
    if (error) fail(ErrorCode::kIo, path, "the folder can't be made: " + error.message(), "check the path and the permissions");
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
      if (errno == ENOENT) continue;
      io_error(path, "the folder can't be opened");
    }
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
      ::close(fd);
      return -1;
    }
    // Another run may have moved the folder away between our opening and locking it.
    struct stat mine{}, there{};
    if (::fstat(fd, &mine) == 0 && ::stat(path.c_str(), &there) == 0 && mine.st_ino == there.st_ino && mine.st_dev == there.st_dev)
      return fd;
    ::close(fd);
  }
  return -1;
}

}  // namespace

OutputDir::OutputDir(std::string dir, bool overwrite, Context& ctx) : dir_(std::move(dir)), ctx_(&ctx) {
  std::error_code error;
  dir_ = fs::absolute(dir_, error).lexically_normal().string();
  while (dir_.size() > 1 && dir_.back() == '/') dir_.pop_back();
  work_ = dir_ + ".work";
  on_root(ctx, [&] { open_work(overwrite); });
}

void OutputDir::open_work(bool overwrite) {
  std::error_code error;
  if (fs::exists(dir_, error) && !fs::is_directory(dir_, error)) fail(ErrorCode::kUsage, dir_, "it is a file", "name a folder with --out");
  if (fs::is_directory(dir_, error) && !fs::is_empty(dir_, error) && !overwrite && !written_by_us(dir_)) {
    fail(ErrorCode::kUsage, dir_, "the folder holds something that no run of ours wrote", "name another with --out, or give --overwrite");
  }
  lock_ = lock_folder(work_);
  if (lock_ < 0) fail(ErrorCode::kLocked, dir_, "another run is writing this output", "wait for it, or name another folder with --out");
  for (const auto& entry : fs::directory_iterator(work_)) {
    if (entry.path().filename() != ".checkpoints") fs::remove_all(entry.path());
  }
  fs::create_directory(scratch());
}

OutputDir::~OutputDir() {
  if (ctx_->rank() == 0 && lock_ >= 0) {
    std::error_code error;
    if (!committed_ && !keep_) fs::remove_all(work_, error);
    if (!committed_ && keep_ && fs::exists(work_, error)) {
      for (const auto& entry : fs::directory_iterator(work_, error)) {
        if (entry.path().filename() != ".checkpoints") fs::remove_all(entry.path(), error);
      }
      if (fs::is_empty(work_, error)) fs::remove(work_, error);
    }
    ::close(lock_);
  }
}

void OutputDir::commit(const Json& about) {
  on_root(*ctx_, [&] {
    std::error_code error;
    fs::remove_all(scratch(), error);
    Json manifest = about;
    manifest["files"] = Json::array();
    for (const std::string& name : files_below(work_)) {
      if (name.starts_with(".checkpoints/")) continue;
      if (!is_record(name)) {
        const FileDigest digest = digest_file(path(name));
        manifest["files"].push_back({{"name", name}, {"bytes", digest.bytes}, {"sha256", digest.sha256}});
      }
      sync_path(path(name));
    }
    write_file(path("manifest.json"), to_json_text(manifest));
    sync_path(path("manifest.json"));
    fs::remove_all(checkpoints(), error);
    sync_path(work_);
    put_in_place(work_, dir_);
  });
  committed_ = true;
}

std::vector<std::string> verify_dir(const std::string& dir) {
  std::error_code error;
  if (!fs::exists(dir, error)) fail(ErrorCode::kIo, dir, "there is no such folder", "check the path");
  const std::string path = dir + "/manifest.json";
  if (!fs::exists(path, error))
    fail(ErrorCode::kBadModel, dir, "there is no manifest.json: this is not a complete run", "run the command again");
  const Json manifest = Json::parse(read_text_file(path), nullptr, false);
  if (!manifest.is_object() || !manifest.contains("files") || !manifest["files"].is_array()) {
    fail(ErrorCode::kBadModel, path, "the manifest is damaged", "run the command again");
  }
  std::vector<std::string> differ;
  std::vector<std::string> listed;
  for (const Json& file : manifest["files"]) {
    if (!file.is_object() || !file.contains("name") || !file["name"].is_string() || !file.contains("sha256") ||
        !file["sha256"].is_string() || !file.contains("bytes") || !file["bytes"].is_number_integer()) {
      fail(ErrorCode::kBadModel, path, "the manifest is damaged", "run the command again");
    }
    const auto name = file["name"].get<std::string>();
    listed.push_back(name);
    const std::string full = dir + "/" + name;
    if (!fs::is_regular_file(full, error)) {
      differ.push_back(name + ": missing");
      continue;
    }
    const FileDigest digest = digest_file(full);
    if (digest.bytes != file["bytes"].get<int64_t>()) {
      differ.push_back(name + ": " + std::to_string(digest.bytes) + " bytes, not " + std::to_string(file["bytes"].get<int64_t>()));
    } else if (digest.sha256 != file["sha256"].get<std::string>()) {
      differ.push_back(name + ": its content has changed");
    }
  }
  for (const std::string& name : files_below(dir)) {
    if (!is_record(name) && std::find(listed.begin(), listed.end(), name) == listed.end()) differ.push_back(name + ": not in the manifest");
  }
  return differ;
}

}  // namespace sluice
