#include "sluice/io/fuzz/fuzzing.h"
#include "sluice/io/npy.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice;
  return fuzzing::read(data, size, [](const auto& file) { return read_npy(file, {}); });
}
