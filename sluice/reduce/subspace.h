// The leading directions of the rows' cross products by a random subspace (Halko, Martinsson and Tropp 2011, algorithm 4.4): `width` random
// directions, multiplied again and again by Y^T Y, Y being the rows less `center`. One pass over the rows takes the directions Q to
// Y^T (Y Q); the d x d matrix is never made. Inside of pca.h and svd.h; not for other use.
#pragma once
#include <vector>

#include "sluice/core/context.h"
#include "sluice/core/matrix.h"
#include "sluice/core/source.h"

namespace sluice::detail {

struct Subspace {
  Matrix<double> directions;   // wanted x d, orthonormal; signs are arbitrary
  std::vector<double> values;  // of each the weighted sum of squared coordinates, falling
};

// power + 2 passes of O(n d width), of sparse rows O(non-zeros width): without a center to the same bits, with one to rounding, since the
// center is taken off the products. Memory 8 d (5 width + 300) a thread and 32 d width once. Directions without a sum of squares of their own
// are unit vectors at right angles to the others. Throws Error{kMemory}.
Subspace leading_subspace(const Source& rows, const std::vector<double>& center, int64_t wanted, int64_t width, int64_t power,
                          Context& ctx);

}  // namespace sluice::detail
