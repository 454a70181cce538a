// The metrics the kernels know. What each means in float64 is said in dist64.h.
#pragma once

namespace sluice::kernels {

// kCosine takes rows and centres that the caller has normalised: its distance is 1 - dot(x, c).
enum class Metric { kSquaredEuclidean, kManhattan, kCosine };

}  // namespace sluice::kernels
