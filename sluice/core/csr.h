// Sparse rows: only the values that are not zero, with their columns (compressed sparse rows). What text becomes (preprocess/tfidf.h).
// A source of them reads like any other, each leaf written out with its zeros, so every algorithm takes it; k-means, moments and the
// statistics know the sparse form (Source::read_csr) and never write a zero. Results are those of the same rows given densely.
// Use where few values are not zero and columns are many; else MemorySource and FileSource are smaller and quicker.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sluice/core/csr_block.h"
#include "sluice/core/row_store.h"
#include "sluice/core/source.h"

namespace sluice {

class CsrSource final : public Source {
 public:
  // In memory: row i has the entries offsets[i] up to offsets[i + 1] (offsets[0] is 0), columns ascending, no value 0.
  // Error{kBug} where that is not so.
  CsrSource(std::vector<int64_t> offsets, std::vector<int32_t> indices, std::vector<double> values, int64_t cols);
  // In a file: row after row, its values (float64) and then its columns (int32). Takes the descriptor over and deletes `path` at the end.
  CsrSource(int fd, std::string path, std::vector<int64_t> offsets, int64_t cols);
  ~CsrSource() override;
  CsrSource(const CsrSource&) = delete;
  CsrSource& operator=(const CsrSource&) = delete;

  int64_t rows() const override { return static_cast<int64_t>(offsets_.size()) - 1; }
  int64_t cols() const override { return cols_; }
  int64_t nonzeros() const { return offsets_.back(); }
  DType dtype() const override { return DType::kF64; }
  // count * cols float64 in the buffer.
  MatrixBlock read(int64_t first, int64_t count, BlockBuffer& buffer) const override;
  bool sparse() const override { return true; }
  CsrBlock read_csr(int64_t first, int64_t count, BlockBuffer& buffer) const override;
  // One weight a row, all finite and >= 0, at least one above 0; else Error{kBadInput}.
  void set_weights(std::vector<double> weights);
  double max_weight() const override { return max_weight_; }

 private:
  int64_t cols_;
  std::vector<int64_t> offsets_;
  std::vector<int32_t> indices_;
  std::vector<double> values_;
  std::vector<double> weights_;
  double max_weight_ = 0;
  int fd_ = -1;
  std::string path_;
};

// Filled row by row by one thread, then finished into a source: in memory while small, in a spool file once larger than the budget.
// Memory: 8 bytes a row always, 12 a value while in memory.
class CsrStore {
 public:
  explicit CsrStore(StoreOptions options);
  ~CsrStore();
  CsrStore(const CsrStore&) = delete;
  CsrStore& operator=(const CsrStore&) = delete;
  // Columns ascending, no value 0. Error{kIo} when the disk refuses.
  void append(std::span<const int32_t> indices, std::span<const double> values);
  int64_t rows() const { return static_cast<int64_t>(offsets_.size()) - 1; }
  bool in_file() const { return fd_ >= 0; }
  std::unique_ptr<CsrSource> finish(int64_t cols);

 private:
  void spill();
  void put(const void* data, size_t bytes);
  void flush();
  StoreOptions options_;
  std::vector<int64_t> offsets_{0};
  std::vector<int32_t> indices_;
  std::vector<double> values_;
  std::vector<std::byte> pending_;
  int fd_ = -1;
  std::string path_;
};

// A source without its sparse form: for work that needs every column of a row at once. Reads of `base` written out; must not outlive it.
class DenseView final : public Source {
 public:
  explicit DenseView(const Source& base) : base_(&base) {
    names = base.names;
    stats = base.stats;
  }
  int64_t rows() const override { return base_->rows(); }
  int64_t cols() const override { return base_->cols(); }
  DType dtype() const override { return base_->dtype(); }
  double max_weight() const override { return base_->max_weight(); }
  MatrixBlock read(int64_t first, int64_t count, BlockBuffer& buffer) const override { return base_->read(first, count, buffer); }

 private:
  const Source* base_;
};

// The weights of some rows, or null, without writing sparse rows out.
inline const double* read_weights(const Source& source, int64_t first, int64_t count, BlockBuffer& buffer) {
  if (!(source.max_weight() > 0)) return nullptr;
  return source.sparse() ? source.read_csr(first, count, buffer).weights : source.read(first, count, buffer).weights;
}

}  // namespace sluice
