// numpy.random.RandomState's streams (the legacy generator): MT19937 seeded with an integer, uniform by 53 bits, normal by the polar
// method, shuffle by rejection. For data sets that must equal scikit-learn's; everything else draws by core/random.h. Matsumoto and
// Nishimura 1998, doi:10.1145/272991.272995.
#pragma once
#include <cstdint>
#include <random>
#include <vector>

namespace sluice {

class NumpyRandom {
 public:
  explicit NumpyRandom(uint32_t seed) : engine_(seed) {}
  double uniform();  // [0, 1), random_sample
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  double normal();                              // legacy gauss
  std::vector<int64_t> permutation(int64_t n);  // shuffle(arange(n))

 private:
  uint64_t below_or_equal(uint64_t most);
  uint32_t next() { return static_cast<uint32_t>(engine_()); }
  std::mt19937 engine_;
  bool has_normal_ = false;
  double normal_ = 0;
};

}  // namespace sluice
