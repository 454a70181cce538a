// A source: rows of numbers that can be read again and again, at any row, by any thread. All an algorithm knows of its data.
// Where the rows lie (memory, a file, a spool) never changes a result.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sluice/core/block.h"
#include "sluice/core/csr_block.h"
#include "sluice/core/statistics.h"

namespace sluice {

class Source {
 public:
  virtual ~Source() = default;
  virtual int64_t rows() const = 0;
  virtual int64_t cols() const = 0;
  virtual DType dtype() const = 0;
  // The rows [first, first + count). Valid until `buffer` is used again or the source ends. Any thread may call.
  // Throws Error{kIo} when the file can't be read.
  virtual MatrixBlock read(int64_t first, int64_t count, BlockBuffer& buffer) const = 0;

  // Whether the rows can also be read as their non-zero values (csr.h), in the same way. Error{kBug} where they can't.
  virtual bool sparse() const { return false; }
  virtual CsrBlock read_csr(int64_t first, int64_t count, BlockBuffer& buffer) const;

  // The largest weight of a row; 0: the rows have no weights (all count 1).
  virtual double max_weight() const { return 0; }

  // Column names (empty: c0, c1, ...) and statistics; both are set by who opens the source, see measure() in statistics.h.
  std::vector<std::string> names;
  Statistics stats;

  std::string name_of(int64_t col) const {
    return col < static_cast<int64_t>(names.size()) ? names[static_cast<size_t>(col)] : "c" + std::to_string(col);
  }
};

// Rows that lie in memory; the caller's memory (`keep` owns it, or null when it outlives the source).
class MemorySource final : public Source {
 public:
  MemorySource(DType dtype, const void* data, int64_t rows, int64_t cols, int64_t stride, std::shared_ptr<const void> keep);
  // Takes `values`, which must hold rows * cols of them.
  MemorySource(std::vector<double> values, int64_t rows, int64_t cols);

  int64_t rows() const override { return all_.rows; }
  int64_t cols() const override { return all_.cols; }
  DType dtype() const override { return all_.dtype; }
  MatrixBlock read(int64_t first, int64_t count, BlockBuffer&) const override { return all_.slice(first, count); }
  // One weight a row, all finite and >= 0, at least one above 0; else Error{kBadInput}.
  void set_weights(std::vector<double> weights);
  double max_weight() const override { return max_weight_; }

 private:
  MatrixBlock all_;
  std::shared_ptr<const void> keep_;
  std::shared_ptr<const std::vector<double>> weights_;  // shared, so that a copied source still points to living weights
  double max_weight_ = 0;
};

// How a value is stored in a file of fixed-width rows.
enum class Storage : uint8_t { kF64, kF32, kF16, kBF16, kI64, kI32, kI16, kI8, kU64, kU32, kU16, kU8, kBool };
size_t size_of(Storage storage);
// The element type its rows are delivered in: float32 where every value of the storage fits it, else float64.
DType delivered_as(Storage storage);
// Widens `count` stored values at `from` to `to` (of type delivered_as(storage)).
void widen(Storage storage, bool byte_swap, const std::byte* from, int64_t count, void* to);

// Fixed-width row-major rows in a file, read by pread into the caller's buffer: no memory but the buffers, whatever the size.
// A 64-bit integer that float64 cannot hold (beyond 2^53) is refused with Error{kBadInput} when it is read.
class FileSource final : public Source {
 public:
  // The rows start at byte `offset`. Takes the descriptor over. `where` names the file in errors.
  // `unlink_path`: a file to delete when the source ends (spools), or empty.
  FileSource(int fd, std::string where, Storage storage, bool byte_swap, int64_t offset, int64_t rows, int64_t cols,
             std::string unlink_path = {});
  ~FileSource() override;
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  int64_t rows() const override { return rows_; }
  int64_t cols() const override { return cols_; }
  DType dtype() const override { return delivered_as(storage_); }
  MatrixBlock read(int64_t first, int64_t count, BlockBuffer& buffer) const override;

  // Where another process finds the same rows; nothing when the file has no name of its own (a spool already unlinked, a part of an archive
  // that was unpacked).
  struct Place {
    std::string path;
    Storage storage = Storage::kF64;
    bool byte_swap = false;
    int64_t offset = 0;
  };
  std::optional<Place> place() const;

 private:
  int fd_;
  std::string where_;
  Storage storage_;
  bool byte_swap_;
  int64_t offset_;
  int64_t rows_;
  int64_t cols_;
  std::string unlink_path_;
};

// One row, widened to float64.
std::vector<double> read_row(const Source& source, int64_t row);

// Reads a whole source into memory (rows * cols * element size bytes), names, weights and statistics with it.
std::unique_ptr<MemorySource> load(const Source& source);

}  // namespace sluice
