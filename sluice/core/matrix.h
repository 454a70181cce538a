// A small owned matrix: row-major, contiguous. For models and results, not for data sets (see source.h).
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace sluice {

template <class T>
struct Matrix {
  int64_t rows = 0;
  int64_t cols = 0;
  std::vector<T> values;

  Matrix() = default;
  Matrix(int64_t rows, int64_t cols, T fill = T{}) : rows(rows), cols(cols), values(static_cast<size_t>(rows * cols), fill) {}

  T* row(int64_t i) { return values.data() + i * cols; }
  const T* row(int64_t i) const { return values.data() + i * cols; }
  T& operator()(int64_t i, int64_t j) { return values[static_cast<size_t>(i * cols + j)]; }
  const T& operator()(int64_t i, int64_t j) const { return values[static_cast<size_t>(i * cols + j)]; }
  bool empty() const { return values.empty(); }
  bool operator==(const Matrix&) const = default;
};

template <class T>
Matrix<T> transposed(const Matrix<T>& matrix) {
  Matrix<T> out(matrix.cols, matrix.rows);
  for (int64_t i = 0; i < matrix.rows; ++i) {
    for (int64_t j = 0; j < matrix.cols; ++j) out(j, i) = matrix(i, j);
  }
  return out;
}

}  // namespace sluice
