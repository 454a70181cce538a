// exp and log of our own, in fma and the four operations only, so that their bits are the same on every CPU and C library.
// Errors: at most 1.5 units in the last place over the whole range (tested against long double).
#pragma once

namespace sluice {

double log64(double x);           // x > 0 finite; log(0) = -inf, of a negative NaN
double exp64(double x);           // under- and overflow to 0 and infinity
double inverse_normal(double p);  // the p-quantile of the standard normal, 0 < p < 1; Wichura 1988 (AS 241), doi:10.2307/2347330

}  // namespace sluice
