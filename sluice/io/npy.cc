#include "sluice/io/npy.h"

#include <algorithm>
#include <vector>

#include "sluice/core/error.h"
#include "sluice/io/dense.h"

namespace sluice {
namespace {

// Where, in values, column `col` (numbered in C order over the dimensions after the first) begins in a Fortran-order array.
int64_t fortran_column(const std::vector<int64_t>& shape, int64_t col) {
  int64_t offset = 0;
  int64_t left = col;
  int64_t stride = 1;
  for (const int64_t dimension : shape) stride *= dimension;
  for (size_t i = shape.size(); i-- > 1;) {
    stride /= shape[i];
    offset += left % shape[i] * stride;
    left /= shape[i];
  }
  return offset;
}

// Rows [first, first + count) of a Fortran-order array, row by row in `rows`.
class FortranRows {
 public:
  FortranRows(const File& file, const NpyHeader& header, int64_t data) : file_(file), header_(header), data_(data) {
    columns_.reserve(static_cast<size_t>(header.cols()));
    for (int64_t j = 0; j < header.cols(); ++j) columns_.push_back(fortran_column(header.shape, j));
  }

  void read(int64_t first, int64_t count, std::vector<double>& rows) {
    const auto width = static_cast<int64_t>(size_of(header_.storage));
    const int64_t cols = header_.cols();
    stored_.resize(static_cast<size_t>(count * width));
    wide_.resize(static_cast<size_t>(count * 8));
    for (int64_t j = 0; j < cols; ++j) {
      file_.read_exact(data_ + (columns_[static_cast<size_t>(j)] + first) * width, stored_.data(), stored_.size());
      widen(header_.storage, header_.byte_swap, stored_.data(), count, wide_.data());
      if (delivered_as(header_.storage) == DType::kF32) {
        scatter(reinterpret_cast<const float*>(wide_.data()), count, cols, rows.data() + j);
      } else {
        scatter(reinterpret_cast<const double*>(wide_.data()), count, cols, rows.data() + j);
      }
    }
  }

 private:
  template <class T>
  static void scatter(const T* from, int64_t count, int64_t cols, double* to) {
    for (int64_t i = 0; i < count; ++i) to[i * cols] = from[i];
  }
  const File& file_;
  const NpyHeader& header_;
  int64_t data_;
  std::vector<int64_t> columns_;
  std::vector<std::byte> stored_;
  std::vector<std::byte> wide_;
};

Table from_fortran(const File& file, const NpyHeader& header, int64_t data, StoreOptions store) {
  const int64_t cols = header.cols();
  // A block is read column by column, so it should be tall; it shares the memory with the rows kept.
  const int64_t budget = std::clamp<int64_t>(store.memory / 4, int64_t{1} << 20, int64_t{64} << 20);
  const int64_t step = std::clamp<int64_t>(budget / (8 * cols), 1, header.rows());
  store.memory = std::max<int64_t>(0, store.memory - budget);
  FortranRows from(file, header, data);
  RowStore rows(cols, store);
  std::vector<double> block(static_cast<size_t>(step * cols));
  for (int64_t first = 0; first < header.rows(); first += step) {
    const int64_t count = std::min(step, header.rows() - first);
    from.read(first, count, block);
    for (int64_t i = 0; i < count; ++i) rows.append(block.data() + i * cols);
  }
  return dense_table(rows.finish(), column_type(header.storage));
}

}  // namespace

NpyHeader read_npy_header(const File& file, int64_t offset, int64_t size) {
  std::string head(static_cast<size_t>(std::min<int64_t>(size, kMaxNpyHeader + 12)), '\0');
  file.read_exact(offset, head.data(), head.size());
  NpyHeader header = parse_npy_header(head, file.where());
  const int64_t left = size - header.data_offset;
  if (header.data_bytes() != left) {
    fail(ErrorCode::kBadInput, file.where(),
         "holds " + std::to_string(left) + " bytes of data where its header says " + std::to_string(header.data_bytes()),
         left < header.data_bytes() ? "it was cut off: copy or save it again" : "something was added at its end: save it again");
  }
  return header;
}

Table read_npy_at(const std::shared_ptr<File>& file, int64_t offset, int64_t size, const StoreOptions& store) {
  const NpyHeader header = read_npy_header(*file, offset, size);
  const int64_t rows = header.rows();
  const int64_t cols = header.cols();
  const int64_t data = offset + header.data_offset;
  // Whatever the order says, one row or one column lies the same way.
  const bool c_order = !header.fortran_order || header.shape.size() == 1 || (header.shape.size() == 2 && (rows == 1 || cols == 1));
  if (c_order) return stored_table(file, header.storage, header.byte_swap, data, rows, cols);
  require_shape(file->where(), rows, cols);
  require_exact_integers(*file, header.storage, header.byte_swap, data, rows, cols, true);
  return from_fortran(*file, header, data, store);
}

Table read_npy(const std::shared_ptr<File>& file, const StoreOptions& store) {
  return read_npy_at(file, 0, file->size(), store);
}

}  // namespace sluice
