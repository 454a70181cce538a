// Which instruction set the kernels run on. Results never depend on it, only speed does.
// SLUICE_TARGET=scalar|avx2|avx3|avx3_dl|neon in the environment forces one ("scalar" is the plain reference code). The variable is
// read once, at the first question; a program asks target_status() at its start and refuses to run when it is not kOk.
#pragma once
#include <cstdint>
#include <string_view>

namespace sluice::kernels {

enum class Target : uint8_t { kScalar, kAvx2, kAvx3, kAvx3Dl, kNeon };
inline constexpr Target kAllTargets[] = {Target::kScalar, Target::kAvx2, Target::kAvx3, Target::kAvx3Dl, Target::kNeon};

enum class TargetStatus : uint8_t {
  kOk,
  kUnknownName,  // SLUICE_TARGET names no target
  kUnavailable,  // a target that this CPU or this build does not have
};

// What became of SLUICE_TARGET. When not kOk the best target is in use.
TargetStatus target_status() noexcept;

// The value of SLUICE_TARGET as it was read, for the message; empty when unset.
std::string_view target_request() noexcept;

Target current_target() noexcept;

// "scalar", "avx2", ...
std::string_view target_name(Target target) noexcept;
inline std::string_view target_name() noexcept {
  return target_name(current_target());
}

bool target_available(Target target) noexcept;

// For tests and benchmarks, while no kernel runs on another thread: from now on kernels use `target`.
TargetStatus use_target(Target target) noexcept;

// Rounding to nearest, denormals kept, exceptions masked. Other libraries switch on flush-to-zero in their threads, so the executor
// calls this at the start of every task. Cost: a few nanoseconds. Does nothing where there is no MXCSR.
void set_float_mode() noexcept;

}  // namespace sluice::kernels
