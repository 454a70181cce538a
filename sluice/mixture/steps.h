// What happens between two passes over the rows: new parameters from the sums, and what to do with a component that has lost its shape.
#pragma once
#include <vector>

#include "sluice/mixture/em.h"

namespace sluice::mixture {

// What is added to every variance, and the variances of the rows with it, which a component that is started again begins with.
struct Ridge {
  std::vector<double> added;
  std::vector<double> variances;
};
// Throws Error{kNumerical} naming a column that has no variance at all where the covariance type needs one.
Ridge ridge_of(const Source& rows, const GmmParams& params, Context& ctx);

// True where `sums` were taken so far from the new means that their second moments have lost digits: take them again about means_of(sums).
bool too_far(const ClaimSums& sums, const Ridge& ridge, CovarianceType type);
// about + first / weight; of components without weight the old one.
Matrix<double> means_of(const ClaimSums& sums, const Matrix<double>& about);

// The parameters that the sums about `about` ask for: weights, means, covariances and their factors. Returns the components without a
// shape: none of the weight, or no positive definite covariance; they keep a mean, and have no valid factor.
// McLachlan and Peel 2000, equations 2.20 and 3.4.
std::vector<int64_t> maximise(const ClaimSums& sums, const Matrix<double>& about, const Ridge& ridge, GmmModel& model);

// Gives component c the mean `mean`, the rows' variances and the weight 1 / k, the others sharing what is left.
void start_again(GmmModel& model, int64_t c, const double* mean, const Ridge& ridge);

// `most` rows with the lowest density, different from each other where there are so many different ones; by (density, row).
std::vector<int64_t> worst_rows(const Source& rows, const RowColumn<double>& log_density, int64_t most, Context& ctx);

// The parameters that start number `start` begins with. `shapeless` gets the number of components that had to be given one.
GmmModel first_model(const Source& rows, const GmmParams& params, const GmmStart& given, int64_t k, int64_t start, const Ridge& ridge,
                     int64_t& shapeless, Context& ctx);

}  // namespace sluice::mixture
