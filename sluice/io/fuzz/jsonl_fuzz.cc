#include "sluice/io/fuzz/fuzzing.h"
#include "sluice/io/jsonl.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice;
  Context ctx;
  return fuzzing::read(data, size, [&](const auto& file) { return read_jsonl({{file, Compression::kNone}}, "", {}, ctx); });
}
