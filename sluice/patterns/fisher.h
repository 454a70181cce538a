// Is a rule more than chance? Fisher's exact test of one rule, and the false-discovery rate of many.
#pragma once
#include <cstdint>
#include <vector>

namespace sluice {

// The probability that `both` or more of the baskets with the antecedent hold the consequent when the two are independent: the upper
// tail of the hypergeometric distribution, one-sided. Counts: 0 <= both <= min(antecedent, consequent), those <= baskets.
// Cost: terms until they no longer matter. Error: about 1e-13, relative; where the answer is tiny, 1e-16 times its logarithm more. Below
// 1e-308 the answer is 0. Fisher 1935; probabilities by Loader's saddle-point expansion, 2000.
double fisher_p(int64_t both, int64_t antecedent, int64_t consequent, int64_t baskets);

// Each p as the least false-discovery rate at which its rule is still found, when `tested` rules were looked at and those not in the list
// count as p = 1 (which can only make the answer larger). Step-up of Benjamini and Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x.
std::vector<double> false_discovery(const std::vector<double>& p, int64_t tested);

}  // namespace sluice
