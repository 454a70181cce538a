#include "sluice/kernels/cpu.h"

#include <limits>

#include "gtest/gtest.h"
#include "sluice/kernels/testing.h"

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

namespace sluice::kernels {
namespace {

TEST(Cpu, NamesAreDistinctAndScalarIsAlwaysThere) {
  EXPECT_EQ(target_name(Target::kScalar), "scalar");
  EXPECT_EQ(target_name(Target::kAvx3Dl), "avx3_dl");
  EXPECT_TRUE(target_available(Target::kScalar));
  if (target_status() == TargetStatus::kOk && !target_request().empty()) {
    EXPECT_EQ(target_name(), target_request());
  }
}

TEST(Cpu, UseTargetSwitchesAndRefuses) {
  const Target before = current_target();
  for (Target t : kAllTargets) {
    const bool there = target_available(t);
    EXPECT_EQ(use_target(t), there ? TargetStatus::kOk : TargetStatus::kUnavailable);
    if (there) {
      EXPECT_EQ(current_target(), t);
    }
  }
  use_target(before);
  EXPECT_EQ(current_target(), before);
}

TEST(Cpu, FloatModeKeepsDenormals) {
#if defined(__SSE2__)
  _mm_setcsr(_mm_getcsr() | 0x8040 | 0x6000);  // flush to zero, denormals are zero, round towards zero
  volatile double tiny = std::numeric_limits<double>::min();
  volatile double half = tiny / 2;
  const bool flushed = half == 0;
  set_float_mode();
  volatile double kept = tiny / 2;
  const bool is_kept = kept > 0;
  volatile double third = 1.0 / 3.0 * 2.0;
  EXPECT_TRUE(flushed);
  EXPECT_TRUE(is_kept);
  EXPECT_EQ(third, 2.0 / 3.0);
  EXPECT_EQ(_mm_getcsr() & 0xffc0u, 0x1f80u);
#else
  GTEST_SKIP() << "no MXCSR on this CPU";
#endif
}

}  // namespace
}  // namespace sluice::kernels
