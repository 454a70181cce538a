#include "sluice/kernels/cpu.h"

#include <atomic>
#include <cstdlib>

#define HWY_WANT_AVX3_DL  // so that the target has a bit here; kernels without such code run their AVX3 code then
#include "hwy/highway.h"

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

namespace sluice::kernels {
namespace {

// Highway's bit of a target; 0 where this build has no such code (for kScalar too: that is our own code).
int64_t highway_bit(Target target) {
  switch (target) {
#if HWY_ARCH_X86
    case Target::kAvx2:
      return HWY_TARGETS & HWY_AVX2;
    case Target::kAvx3:
      return HWY_TARGETS & HWY_AVX3;
    case Target::kAvx3Dl:
      return HWY_TARGETS & HWY_AVX3_DL;
#elif HWY_ARCH_ARM
    case Target::kNeon:
      return HWY_TARGETS & HWY_NEON;
#endif
    default:
      return 0;
  }
}

struct State {
  int64_t cpu = 0;  // what Highway found, before any limit
  TargetStatus status = TargetStatus::kOk;
  std::string_view request;
  std::atomic<Target> current{Target::kScalar};

  State() {
    cpu = hwy::SupportedTargets();
    Target best = Target::kScalar;
    for (Target t : kAllTargets) {
      if (available(t)) best = t;
    }
    const char* text = std::getenv("SLUICE_TARGET");
    if (text != nullptr && *text != 0) {
      request = text;
      status = TargetStatus::kUnknownName;
      for (Target t : kAllTargets) {
        if (request != target_name(t)) continue;
        status = available(t) ? TargetStatus::kOk : TargetStatus::kUnavailable;
        if (status == TargetStatus::kOk) best = t;
      }
    }
    choose(best);
  }

  bool available(Target t) const { return t == Target::kScalar || (highway_bit(t) & cpu) != 0; }

  void choose(Target t) {
    // Lower bits are better targets: allow t and all worse ones. Scalar kernels never reach Highway's dispatch; its limit is lifted.
    const int64_t bit = highway_bit(t);
    hwy::SetSupportedTargetsForTest(bit == 0 ? 0 : cpu & ~(bit - 1));
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    current.store(t, std::memory_order_release);
  }
};

State& state() {
  static State s;
  return s;
}

}  // namespace

TargetStatus target_status() noexcept {
  return state().status;
}
std::string_view target_request() noexcept {
  return state().request;
}
Target current_target() noexcept {
  return state().current.load(std::memory_order_acquire);
}
bool target_available(Target target) noexcept {
  return state().available(target);
}

std::string_view target_name(Target target) noexcept {
  switch (target) {
    case Target::kScalar:
      return "scalar";
    case Target::kAvx2:
      return "avx2";
    case Target::kAvx3:
      return "avx3";
    case Target::kAvx3Dl:
      return "avx3_dl";
    default:
      return "neon";
  }
}

TargetStatus use_target(Target target) noexcept {
  if (!state().available(target)) return TargetStatus::kUnavailable;
  state().choose(target);
  return TargetStatus::kOk;
}

void set_float_mode() noexcept {
#if defined(__SSE2__)
  _mm_setcsr(0x1f80);
#endif
}

}  // namespace sluice::kernels
