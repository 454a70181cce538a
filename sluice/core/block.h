// A block: some consecutive rows of a source, in memory, owned by somebody else.
// MatrixBlock is what every algorithm sees. Values are float32 or float64 as stored; what they mean is their float64
// value, so no result may depend on which of the two it was.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "sluice/kernels/rows.h"

namespace sluice {

enum class DType : uint8_t { kF32, kF64 };

inline size_t size_of(DType dtype) {
  return dtype == DType::kF32 ? 4 : 8;
}

struct MatrixBlock {
  DType dtype = DType::kF64;
  const void* data = nullptr;
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t stride = 0;               // elements between rows
  int64_t first_row = 0;            // number of the first row in its source
  const double* weights = nullptr;  // one a row, or null: all 1

  double weight(int64_t row) const { return weights == nullptr ? 1.0 : weights[row]; }

  kernels::RowsView view() const { return {data, dtype == DType::kF64, rows, cols, stride}; }

  // The rows [begin, begin + count) of this block as a block.
  MatrixBlock slice(int64_t begin, int64_t count) const {
    MatrixBlock part = *this;
    part.data = static_cast<const std::byte*>(data) + static_cast<size_t>(begin * stride) * size_of(dtype);
    part.rows = count;
    part.first_row = first_row + begin;
    part.weights = weights == nullptr ? nullptr : weights + begin;
    return part;
  }

  // Row `row` as float64: a pointer into the block where it is stored so, else a widened copy in `scratch` (cols values).
  const double* row(int64_t row, double* scratch) const {
    if (dtype == DType::kF64) return static_cast<const double*>(data) + row * stride;
    const float* from = static_cast<const float*>(data) + row * stride;
    for (int64_t j = 0; j < cols; ++j) scratch[j] = from[j];
    return scratch;
  }
};

// Memory a reader may fill for the caller; grows, never shrinks. One per worker. Large ones ask for huge pages, which
// makes the first touch several times cheaper.
class BlockBuffer {
 public:
  std::byte* reserve(size_t bytes) {
    if (bytes > size_) {
      data_.reset(allocate(bytes));
      size_ = bytes;
    }
    return data_.get();
  }

  // A second buffer, for a source that reads from another one.
  BlockBuffer& inner() {
    if (!inner_) inner_ = std::make_unique<BlockBuffer>();
    return *inner_;
  }

 private:
  static constexpr size_t kHugePage = size_t{2} << 20;
  static std::byte* allocate(size_t bytes) {
    const size_t alignment = bytes >= 4 * kHugePage ? kHugePage : 64;
    void* p = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
    if (p == nullptr) throw std::bad_alloc();
#if defined(__linux__)
    if (alignment == kHugePage) ::madvise(p, bytes, MADV_HUGEPAGE);
#endif
    return static_cast<std::byte*>(p);
  }
  struct Free {
    void operator()(std::byte* p) const { std::free(p); }
  };
  std::unique_ptr<std::byte, Free> data_;
  size_t size_ = 0;
  std::unique_ptr<BlockBuffer> inner_;
};

}  // namespace sluice
