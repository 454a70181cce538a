#include "sluice/io/images.h"

#include <filesystem>
#include <memory>
#include <optional>

#include "sluice/core/error.h"
#include "sluice/io/dense.h"
#include "sluice/io/file.h"
#include "sluice/io/picture.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMostPixels = int64_t{1} << 28;
constexpr int64_t kMostBytes = int64_t{1} << 30;

// The folder that holds all files, itself or below.
fs::path common_folder(const std::vector<std::string>& files) {
  fs::path common = fs::path(files[0]).parent_path();
  for (const std::string& file : files) {
    fs::path shared;
    const fs::path folder = fs::path(file).parent_path();
    for (auto a = common.begin(), b = folder.begin(); a != common.end() && b != folder.end() && *a == *b; ++a, ++b) shared /= *a;
    common = shared;
  }
  return common;
}

// The pictures of one size and number of channels, as rows.
class PictureRows {
 public:
  PictureRows(const std::vector<std::string>& files, const ReadOptions& options, const StoreOptions& store, int64_t channels)
      : files_(files),
        folder_(common_folder(files)),
        options_(options),
        store_(store),
        channels_(channels),
        names_(std::make_shared<TextColumn>(store.memory)) {}

  // False when a picture has colours and these rows have not.
  bool fill() {
    for (const std::string& file : files_) {
      std::optional<Picture> picture = decode(file);
      if (!picture) continue;
      if (picture->channels > channels_) return false;
      append(std::move(*picture), file);
      names_->append(name_of(file));
    }
    if (rows_ == nullptr) {
      fail(ErrorCode::kBadInput, files_[0],
           "none of " + std::to_string(files_.size()) + " pictures can be read, the first because it " + rejected_.front().why,
           "give whole PNG or JPEG files");
    }
    return true;
  }

  Table finish() {
    Table table;
    table.rows = rows_->rows();
    table.rejected = std::move(rejected_);
    table.columns.push_back({"file", ColumnType::kText, 0, false});
    table.texts.push_back(names_);
    table.numbers = rows_->finish();
    for (int64_t j = 0; j < table.numbers->cols(); ++j) {
      table.numbers->names.push_back("p" + std::to_string(j));
      table.columns.push_back({table.numbers->names.back(), ColumnType::kInteger, j, false});
    }
    return table;
  }

 private:
  std::string name_of(const std::string& file) const { return fs::path(file).lexically_relative(folder_).generic_string(); }

  std::optional<Picture> decode(const std::string& path) {
    const std::shared_ptr<File> file = open_file(path, store_);
    try {
      if (file->size() > kMostBytes) fail(ErrorCode::kBadInput, path, "is larger than a picture can be", "leave it out");
      bytes_.resize(static_cast<size_t>(file->size()));
      file->read_exact(0, bytes_.data(), bytes_.size());
      return decode_picture(bytes_, options_.gray, kMostPixels, path);
    } catch (const Error& error) {
      if (error.code != ErrorCode::kBadInput) throw;
      rejected_.push_back({name_of(path), error.message});
      return std::nullopt;
    }
  }

  void append(Picture picture, const std::string& path) {
    if (options_.image_size > 0) {
      picture = resize_picture(picture, options_.image_size, options_.image_size);
    } else if (rows_ != nullptr && (picture.width != width_ || picture.height != height_)) {
      fail(ErrorCode::kBadInput, path,
           "is " + std::to_string(picture.width) + " x " + std::to_string(picture.height) + " pixels and the pictures before it " +
               std::to_string(width_) + " x " + std::to_string(height_),
           "say --size 28 or another size to scale all to it");
    }
    if (rows_ == nullptr) start(picture, path);
    const auto each = static_cast<size_t>(channels_ / picture.channels);  // a grey picture among colours is grey in all three
    for (size_t i = 0; i < row_.size(); ++i) row_[i] = picture.pixels[i / each];
    rows_->append(row_.data());
  }

  void start(const Picture& picture, const std::string& path) {
    width_ = picture.width;
    height_ = picture.height;
    const int64_t cols = width_ * height_ * channels_;
    require_shape(path, 1, cols);
    row_.resize(static_cast<size_t>(cols));
    rows_ = std::make_unique<RowStore>(cols, store_);
  }

  const std::vector<std::string>& files_;
  const fs::path folder_;
  const ReadOptions& options_;
  const StoreOptions& store_;
  int64_t channels_;
  std::shared_ptr<TextColumn> names_;
  std::unique_ptr<RowStore> rows_;
  std::vector<double> row_;
  std::vector<std::byte> bytes_;
  int64_t width_ = 0;
  int64_t height_ = 0;
  std::vector<Rejected> rejected_;
};

}  // namespace

Table read_images(const std::vector<std::string>& files, const ReadOptions& options, const StoreOptions& store) {
  if (files.empty()) fail(ErrorCode::kBadInput, "pictures", "there are none", "give a folder that holds PNG or JPEG files");
  constexpr int64_t kMostSide = 4096;
  if (options.image_size < 0 || options.image_size > kMostSide) {
    fail(ErrorCode::kUsage, "--size " + std::to_string(options.image_size),
         "is not a number of pixels from 1 to " + std::to_string(kMostSide), "say --size 28");
  }
  // Nobody knows before the last file whether all are grey; most folders are of one kind, so the second pass is rare.
  for (const int64_t channels : {1, 3}) {
    PictureRows rows(files, options, store, channels);
    if (rows.fill()) return rows.finish();
  }
  fail(ErrorCode::kBug, files[0], "a picture has more than three colours", "report it");
}

}  // namespace sluice
