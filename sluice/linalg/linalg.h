// The few dense decompositions that small matrices need, by reference LAPACK hidden in a shared library of its own.
// Use for matrices whose side is the number of columns, clusters or components. Not for data sets: it runs on one thread at about
// 1 GFLOP/s, which is the price of bits that depend on no CPU.
//
// All matrices are row-major and contiguous. Inputs must be finite. Functions return 0, or LAPACK's positive number when the mathematics
// has no answer, or kTooLarge. Determinism: same bits on every x86-64 CPU. Any thread may call.
// Anderson et al. 1999, LAPACK Users' Guide, doi:10.1137/1.9780898719604.
#pragma once
#include <cstdint>

#define SLUICE_LINALG_API __attribute__((visibility("default")))

namespace sluice::linalg {

inline constexpr int kTooLarge = -1000;  // a size that LAPACK's 32-bit integers do not hold

// Sides up to which symmetric_eigen's workspace still fits 32-bit sizes.
inline constexpr int64_t kMostEigen = 32'000;

// a (n x n, upper triangle read) = V^T diag(values) V: values ascending; row i of a becomes the unit eigenvector of values[i].
// Cost about 9 n^3 (0.015 s at 256, 0.4 s at 784). Memory: 16 n^2 bytes beside a. dsyevd.
SLUICE_LINALG_API int symmetric_eigen(double* a, int64_t n, double* values);

// a (n x n, symmetric positive definite, upper triangle read) = R^T R: R replaces the upper triangle, below it stay the old values.
// Positive result: the order of the leading minor that is not positive definite. dpotrf.
SLUICE_LINALG_API int cholesky(double* a, int64_t n);

// a (m x n) = U diag(s) V^T with p = min(m, n): s (p, falling), u (m x p), vt (p x n); a is destroyed. dgesdd.
SLUICE_LINALG_API int svd(double* a, int64_t m, int64_t n, double* s, double* u, double* vt);

// a (m x n, m >= n) = Q R: q (m x n, orthonormal columns) replaces a; r is n x n, zero below the diagonal. dgeqrf, dorgqr.
SLUICE_LINALG_API int qr(double* a, int64_t m, int64_t n, double* r);

}  // namespace sluice::linalg
