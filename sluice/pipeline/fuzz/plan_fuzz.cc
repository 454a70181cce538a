// A pipeline file of any bytes is refused with a place, or becomes a plan.
#include <cstdint>
#include <string>

#include "sluice/core/error.h"
#include "sluice/pipeline/plan.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 20'000) return 0;  // the YAML library is quadratic in depth
  try {
    sluice::plan_text(sluice::parse_plan(std::string(reinterpret_cast<const char*>(data), size), "fuzz.yaml"));
  } catch (const sluice::Error&) {
  }
  return 0;
}
