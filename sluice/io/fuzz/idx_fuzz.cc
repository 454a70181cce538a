#include "sluice/io/fuzz/fuzzing.h"
#include "sluice/io/idx.h"

// The first byte chooses the compression; the rest is the file.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice;
  if (size == 0) return 0;
  const Compression compression = static_cast<Compression>(*data % 3);
  return fuzzing::read(data + 1, size - 1, [&](const auto& file) { return read_idx(file, compression, {}); });
}
