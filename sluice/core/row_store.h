// Where rows go that come one after another and must be read again: memory while they are few, a spool file when they are many.
// A store is filled by one thread, then finished into a source. The file is deleted when its last owner is gone.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/core/context.h"
#include "sluice/core/source.h"

namespace sluice {

struct StoreOptions {
  int64_t memory = int64_t{1} << 40;  // bytes kept in memory before the store moves to a file
  std::string spool_dir;              // folder of that file, made when needed; "" means the system's temporary folder
  bool to_file = false;               // a file from the start (ranks read one file that rank 0 wrote)
};

// A quarter of the context's memory budget, and its spool folder.
StoreOptions store_options(const Context& ctx);

class RowStore {
 public:
  RowStore(int64_t cols, StoreOptions options);
  ~RowStore();
  RowStore(const RowStore&) = delete;
  RowStore& operator=(const RowStore&) = delete;

  void append(const double* row);  // cols values; throws Error{kIo} when the disk refuses
  int64_t rows() const { return rows_; }
  // The rows as a float64 source without names or statistics. The store is empty afterwards.
  std::unique_ptr<Source> finish();
  // Path of the file, or "" when the rows are in memory. Before finish() only.
  const std::string& path() const { return path_; }

 private:
  void spill();
  void flush();
  int64_t cols_;
  StoreOptions options_;
  int64_t rows_ = 0;
  std::vector<double> values_;
  int fd_ = -1;
  std::string path_;
};

// Strings in row order, some missing. Kept as one run of bytes with 64-bit offsets.
// Memory: the bytes plus 8 a row; texts larger than the budget are refused with Error{kMemory} (they are needed at random).
class TextColumn {
 public:
  explicit TextColumn(int64_t memory = int64_t{1} << 40) : memory_(memory) {}
  void append(std::string_view text);
  void append_missing();
  int64_t rows() const { return static_cast<int64_t>(ends_.size()); }
  bool missing(int64_t row) const { return missing_[static_cast<size_t>(row)]; }
  std::string_view at(int64_t row) const {  // "" when missing
    const size_t i = static_cast<size_t>(row);
    const int64_t begin = i == 0 ? 0 : ends_[i - 1];
    return {bytes_.data() + begin, static_cast<size_t>(ends_[i] - begin)};
  }

 private:
  void check() const;
  int64_t memory_;
  std::string bytes_;
  std::vector<int64_t> ends_;
  std::vector<bool> missing_;
};

// A folder-unique path for a new spool file in `dir`, which is made when it does not exist.
std::string new_spool_path(const std::string& dir);

}  // namespace sluice
