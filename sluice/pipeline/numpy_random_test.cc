#include "sluice/pipeline/numpy_random.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <set>

namespace sluice {
namespace {

// What numpy 2.4's RandomState gives.
struct Stored {
  uint32_t seed;
  std::vector<double> uniforms;
  std::vector<double> normals;
  std::vector<int64_t> shuffled;  // arange(10)
  int64_t digest;                 // sum of i * shuffled(arange(1000))[i]
};

const std::vector<Stored> kStored = {
    {0,
     {0x1.18fe1565f12a8p-1, 0x1.6e2d4cf608733p-1, 0x1.349d66b6e894bp-1},
     {0x1.c398ef3e5cfa5p+0, 0x1.99c2cfacc8953p-2, 0x1.f51d25222c9abp-1, 0x1.1ed5969e3314ep+1, 0x1.de1847cb13ddap+0},
     {2, 8, 4, 9, 1, 6, 7, 3, 0, 5},
     247872640},
    {42,
     {0x1.7f8771e5f51ecp-2, 0x1.e6c4068bbd654p-1, 0x1.76c7e8f1e6751p-1},
     {0x1.fca2a28a9307cp-2, -0x1.1b2a505de052ap-3, 0x1.4b9dd50245e68p-1, 0x1.85e548e01aa2bp+0, -0x1.df8bcdf57a640p-3},
     {8, 1, 5, 0, 7, 2, 9, 4, 3, 6},
     251374799},
    {4294967295U,
     {0x1.8fe69a3924820p-4, 0x1.d323d824032b1p-1, 0x1.93fc6f61af3f9p-1},
     {0x1.4bfc38c486d8ap-1, 0x1.56b192e507eeep-1, -0x1.149e836f192fdp+0, 0x1.23543dec5a0fcp-2, 0x1.d27bf27c6aaafp-4},
     {6, 9, 5, 1, 8, 0, 7, 4, 2, 3},
     249935792},
};

TEST(NumpyRandom, GivesStoredStreams) {
  for (const Stored& stored : kStored) {
    NumpyRandom uniform(stored.seed);
    for (const double x : stored.uniforms) EXPECT_EQ(uniform.uniform(), x) << stored.seed;
    NumpyRandom normal(stored.seed);
    for (const double x : stored.normals) EXPECT_NEAR(normal.normal(), x, 4e-16 * std::fabs(x)) << stored.seed;
    EXPECT_EQ(NumpyRandom(stored.seed).permutation(10), stored.shuffled);
    const std::vector<int64_t> long_one = NumpyRandom(stored.seed).permutation(1000);
    int64_t digest = 0;
    for (size_t i = 0; i < long_one.size(); ++i) digest += static_cast<int64_t>(i) * long_one[i];
    EXPECT_EQ(digest, stored.digest);
    EXPECT_EQ(std::set<int64_t>(long_one.begin(), long_one.end()).size(), 1000U);
  }
}

// A normal draw makes two and keeps the second, whatever is drawn between.
TEST(NumpyRandom, KeepsTheSecondNormal) {
  NumpyRandom random(42);
  EXPECT_DOUBLE_EQ(random.uniform(-10, 10), -0x1.412d63411b332p+1);
  EXPECT_DOUBLE_EQ(random.normal(), -0x1.1ca42ce8158a6p+0);
  EXPECT_DOUBLE_EQ(random.uniform(3, 4), 0x1.93f7a0e1997f5p+1);
  EXPECT_DOUBLE_EQ(random.normal(), 0x1.468e4b5774960p-2);
  EXPECT_DOUBLE_EQ(random.normal(), 0x1.94474a8407408p+0);
}

TEST(NumpyRandom, ShufflesNothingAndOne) {
  EXPECT_TRUE(NumpyRandom(1).permutation(0).empty());
  EXPECT_EQ(NumpyRandom(1).permutation(1), std::vector<int64_t>{0});
}

}  // namespace
}  // namespace sluice
