#include "sluice/io/format.h"

#include <glob.h>

#include <algorithm>
#include <filesystem>

#include "sluice/core/error.h"
#include "sluice/io/byte_stream.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

// "train-images-idx3-ubyte", "train-images.idx3-ubyte".
bool is_idx_name(const std::string& name) {
  const size_t at = name.rfind("idx");
  if (at == std::string::npos || at + 4 >= name.size()) return false;
  const std::string rest = name.substr(at + 4);
  return name[at + 3] >= '1' && name[at + 3] <= '9' &&
         (rest == "-ubyte" || rest == "-byte" || rest == "-short" || rest == "-int" || rest == "-float" || rest == "-double");
}

std::vector<std::string> files_below(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  auto walk = fs::recursive_directory_iterator(folder, error);
  for (; !error && walk != fs::recursive_directory_iterator(); walk.increment(error)) {
    const std::string name = walk->path().filename().string();
    if (name.starts_with('.')) {
      if (walk->is_directory()) walk.disable_recursion_pending();
      continue;
    }
    if (!walk->is_directory()) files.push_back(walk->path().string());
  }
  if (error) fail(ErrorCode::kIo, folder, "can't be listed: " + error.message(), "check the folder and its rights");
  if (files.empty()) fail(ErrorCode::kBadInput, folder, "is a folder without files", "name a folder that holds data");
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<std::string> files_matching(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> files;
  // Unsorted, because glob sorts as the locale does.
  if (::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) == 0) files.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  std::erase_if(files, [](const std::string& file) { return fs::is_directory(file); });
  if (files.empty()) fail(ErrorCode::kIo, pattern, "matches no file", "check the pattern");
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

Format format_of_name(const std::string& path) {
  const std::string name = fs::path(without_compression(path)).filename().string();
  if (is_idx_name(name)) return Format::kIdx;
  std::string end = fs::path(name).extension().string();
  for (char& c : end) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  static constexpr struct {
    const char* end;
    Format format;
  } kEnds[] = {{".csv", Format::kCsv},     {".tsv", Format::kTsv},       {".jsonl", Format::kJsonl}, {".ndjson", Format::kJsonl},
               {".npy", Format::kNpy},     {".npz", Format::kNpz},       {".idx", Format::kIdx},     {".parquet", Format::kArrow},
               {".arrow", Format::kArrow}, {".feather", Format::kArrow}, {".png", Format::kImages},  {".jpg", Format::kImages},
               {".jpeg", Format::kImages}, {".dat", Format::kBaskets},   {".txt", Format::kText},    {".wav", Format::kAudio},
               {".flac", Format::kAudio},  {".mp3", Format::kAudio},     {".ogg", Format::kAudio}};
  for (const auto& known : kEnds) {
    if (end == known.end) return known.format;
  }
  return Format::kUnknown;
}

Format format_of_word(const std::string& word) {
  static constexpr struct {
    const char* word;
    Format format;
  } kWords[] = {{"csv", Format::kCsv},       {"tsv", Format::kTsv},       {"jsonl", Format::kJsonl},   {"npy", Format::kNpy},
                {"npz", Format::kNpz},       {"idx", Format::kIdx},       {"parquet", Format::kArrow}, {"arrow", Format::kArrow},
                {"feather", Format::kArrow}, {"images", Format::kImages}, {"dat", Format::kBaskets},   {"text", Format::kText},
                {"audio", Format::kAudio}};
  for (const auto& known : kWords) {
    if (word == known.word) return known.format;
  }
  fail(ErrorCode::kUsage, "--format " + word, "is not a known format",
       "say csv, tsv, jsonl, npy, npz, idx, parquet, arrow, feather, images or dat");
}

std::vector<std::string> expand_inputs(const std::vector<std::string>& inputs) {
  std::vector<std::string> files;
  for (const std::string& input : inputs) {
    if (input.starts_with("s3://"))
      fail(ErrorCode::kUsage, input, "reading from object stores is not there yet", "copy the data to a local folder");
    std::error_code ignored;
    const fs::file_status status = fs::status(input, ignored);
    std::vector<std::string> these{input};
    if (fs::is_directory(status)) {
      these = files_below(input);
    } else if (input != "-" && !fs::exists(status) && input.find_first_of("*?[") != std::string::npos) {
      these = files_matching(input);
    } else if (input != "-" && status.type() == fs::file_type::not_found) {
      fail(ErrorCode::kIo, input, "there is no such file", "check the name");
    }
    files.insert(files.end(), these.begin(), these.end());
  }
  return files;
}

}  // namespace sluice
