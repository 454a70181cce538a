// Counter-based random numbers: a number is a pure function of (seed, stage, row or task, draw), so it does not depend on who asks
// for it, in which order, or on how many threads there are. Philox4x32-10, Salmon et al. 2011, doi:10.1145/2063384.2063405.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

namespace sluice {

// The stages that draw; a new stage takes a new number, never another's.
enum class RandomStage : uint32_t {
  kKMeansInit = 1,
  kKMeansParallel = 2,
  kMiniBatch = 3,
  kRandomizedPca = 4,
  kSilhouetteSample = 5,
  kNullReference = 6,
  kSubsample = 7,
  kProjection = 8,
  kMakeData = 9,
  kIsolationForest = 10,
  kConformalSplit = 11,
  kUmapStart = 20,
  kUmapNegatives = 21,
  kMixtureInit = 22,
  kMixtureSample = 23,
  kTsneStart = 24,
  kNnDescent = 25,
};

inline std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53u} * counter[0];
    const uint64_t b = uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(b),
               static_cast<uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(a)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

// A stream of 2^33 numbers for one (seed, stage, index). Streams of different indices are independent.
class Random {
 public:
  Random(uint64_t seed, RandomStage stage, uint64_t index)
      : key_{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)},
        counter_{0, static_cast<uint32_t>(stage), static_cast<uint32_t>(index), static_cast<uint32_t>(index >> 32)} {}

  uint64_t bits() {
    if (next_ == 2) {
      block_ = philox(counter_, key_);
      ++counter_[0];
      next_ = 0;
    }
    const int i = 2 * next_++;
    return (uint64_t{block_[static_cast<std::size_t>(i)]} << 32) | block_[static_cast<std::size_t>(i + 1)];
  }
  // Uniform in [0, 1), a multiple of 2^-53.
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
  // Uniform in [0, n); the bias of at most n / 2^64 is accepted.
  uint64_t below(uint64_t n) { return static_cast<uint64_t>((static_cast<unsigned __int128>(bits()) * n) >> 64); }
  // Standard normal by inversion of our own (math.h), so the bits are the same everywhere.
  double normal();

 private:
  std::array<uint32_t, 2> key_;
  std::array<uint32_t, 4> counter_;
  std::array<uint32_t, 4> block_{};
  int next_ = 2;
};

}  // namespace sluice
