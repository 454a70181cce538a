// What the kernels' tests share: every target of the machine, plain random values, a matrix in both storage types.
#pragma once
#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "sluice/kernels/cpu.h"
#include "sluice/kernels/rows.h"

namespace sluice::kernels {

// Runs `body` once per target this machine has, with its name in the trace; the best target is back in use afterwards.
inline void for_each_target(const std::function<void()>& body) {
  const Target before = current_target();
  for (Target target : kAllTargets) {
    if (!target_available(target)) continue;
    ASSERT_EQ(use_target(target), TargetStatus::kOk);
    SCOPED_TRACE("target " + std::string(target_name(target)));
    body();
  }
  use_target(before);
}

// SplitMix64: enough for test data.
struct TestRandom {
  uint64_t state;
  explicit TestRandom(uint64_t seed) : state(seed * 0x9e3779b97f4a7c15ull + 1) {}
  uint64_t next() {
    uint64_t z = (state += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  int64_t below(int64_t n) { return static_cast<int64_t>(next() % static_cast<uint64_t>(n)); }
  // Roughly normal: sum of four uniforms, variance one.
  double normal() { return (uniform() + uniform() + uniform() + uniform() - 2) * std::sqrt(3.0); }
};

// Rows with `pad` unused values after each (they are NaN: reading them shows).
struct TestRows {
  std::vector<double> f64;
  std::vector<float> f32;
  RowsView view64;
  RowsView view32;

  TestRows(const std::vector<double>& values, int64_t rows, int64_t cols, int64_t pad) {
    const int64_t stride = cols + pad;
    f64.assign(static_cast<size_t>(rows * stride), std::nan(""));
    f32.assign(static_cast<size_t>(rows * stride), std::nanf(""));
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < cols; ++j) {
        f64[static_cast<size_t>(i * stride + j)] = values[static_cast<size_t>(i * cols + j)];
        f32[static_cast<size_t>(i * stride + j)] = static_cast<float>(values[static_cast<size_t>(i * cols + j)]);
      }
    }
    view64 = {f64.data(), true, rows, cols, stride};
    view32 = {f32.data(), false, rows, cols, stride};
  }
  TestRows(const TestRows&) = delete;
};

}  // namespace sluice::kernels
