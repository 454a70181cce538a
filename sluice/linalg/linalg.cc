// LAPACK is column-major: what it calls A is our A^T, so "lower" here is the upper triangle of a row-major matrix.
#include "sluice/linalg/linalg.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

extern "C" {
// The last arguments are the lengths of the texts, as gfortran passes them.
void dsyevd_(const char* jobz, const char* uplo, const int* n, double* a, const int* lda, double* w, double* work, const int* lwork,
             int* iwork, const int* liwork, int* info, std::size_t, std::size_t);
void dpotrf_(const char* uplo, const int* n, double* a, const int* lda, int* info, std::size_t);
void dgesdd_(const char* jobz, const int* m, const int* n, double* a, const int* lda, double* s, double* u, const int* ldu, double* vt,
             const int* ldvt, double* work, const int* lwork, int* iwork, int* info, std::size_t);
void dgeqrf_(const int* m, const int* n, double* a, const int* lda, double* tau, double* work, const int* lwork, int* info);
void dorgqr_(const int* m, const int* n, const int* k, double* a, const int* lda, const double* tau, double* work, const int* lwork,
             int* info);
}

namespace sluice::linalg {
namespace {

bool too_large(int64_t m, int64_t n) {
  return m > std::numeric_limits<int>::max() / std::max<int64_t>(1, n);
}

// What a workspace query answered, as the size to give.
int size_of(double answer) {
  return std::max(1, static_cast<int>(answer));
}

std::vector<double> transposed(const double* a, int64_t rows, int64_t cols) {
  std::vector<double> out(static_cast<size_t>(rows * cols));
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < cols; ++j) out[static_cast<size_t>(j * rows + i)] = a[i * cols + j];
  }
  return out;
}

}  // namespace

int symmetric_eigen(double* a, int64_t n, double* values) {
  if (n > kMostEigen) return kTooLarge;
  if (n == 0) return 0;
  const int order = static_cast<int>(n);
  int info = 0;
  double work_size = 0;
  int iwork_size = 0;
  const int query = -1;
  dsyevd_("V", "L", &order, a, &order, values, &work_size, &query, &iwork_size, &query, &info, 1, 1);
  if (info != 0) return info;
  const int lwork = size_of(work_size);
  const int liwork = std::max(1, iwork_size);
  std::vector<double> work(static_cast<size_t>(lwork));
  std::vector<int> iwork(static_cast<size_t>(liwork));
  dsyevd_("V", "L", &order, a, &order, values, work.data(), &lwork, iwork.data(), &liwork, &info, 1, 1);
  return info;
}

int cholesky(double* a, int64_t n) {
  if (too_large(n, n)) return kTooLarge;
  const int order = static_cast<int>(n);
  const int stride = std::max(1, order);
  int info = 0;
  dpotrf_("L", &order, a, &stride, &info, 1);
  return info;
}

int svd(double* a, int64_t m, int64_t n, double* s, double* u, double* vt) {
  if (too_large(m, n)) return kTooLarge;
  if (m == 0 || n == 0) return 0;
  // A^T = V diag(s) U^T is what column-major LAPACK sees: its left vectors, column-major n x p, are our row-major p x n vt.
  const int rows = static_cast<int>(n);
  const int cols = static_cast<int>(m);
  const int p = std::min(rows, cols);
  int info = 0;
  double work_size = 0;
  const int query = -1;
  std::vector<int> iwork(static_cast<size_t>(8) * static_cast<size_t>(p));
  dgesdd_("S", &rows, &cols, a, &rows, s, vt, &rows, u, &p, &work_size, &query, iwork.data(), &info, 1);
  if (info != 0) return info;
  const int lwork = size_of(work_size);
  std::vector<double> work(static_cast<size_t>(lwork));
  dgesdd_("S", &rows, &cols, a, &rows, s, vt, &rows, u, &p, work.data(), &lwork, iwork.data(), &info, 1);
  return info;
}

int qr(double* a, int64_t m, int64_t n, double* r) {
  if (too_large(m, n)) return kTooLarge;
  if (n == 0) return 0;
  const int rows = static_cast<int>(m);
  const int cols = static_cast<int>(n);
  std::vector<double> columns = transposed(a, m, n);
  std::vector<double> tau(static_cast<size_t>(n));
  int info = 0;
  double first = 0;
  double second = 0;
  const int query = -1;
  dgeqrf_(&rows, &cols, columns.data(), &rows, tau.data(), &first, &query, &info);
  dorgqr_(&rows, &cols, &cols, columns.data(), &rows, tau.data(), &second, &query, &info);
  const int lwork = std::max(size_of(first), size_of(second));
  std::vector<double> work(static_cast<size_t>(lwork));
  dgeqrf_(&rows, &cols, columns.data(), &rows, tau.data(), work.data(), &lwork, &info);
  if (info != 0) return info;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) r[i * n + j] = j < i ? 0.0 : columns[static_cast<size_t>(j * m + i)];
  }
  dorgqr_(&rows, &cols, &cols, columns.data(), &rows, tau.data(), work.data(), &lwork, &info);
  const std::vector<double> q = transposed(columns.data(), n, m);
  std::copy(q.begin(), q.end(), a);
  return info;
}

}  // namespace sluice::linalg
