#include "sluice/io/baskets.h"
#include "sluice/io/encoding.h"
#include "sluice/io/fuzz/fuzzing.h"

// The first byte chooses the compression; the rest is the file. Baskets must come out ascending and within their items.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice;
  if (size == 0) return 0;
  static const Compression kCompressions[] = {Compression::kNone, Compression::kNone, Compression::kGzip, Compression::kZstd};
  Context ctx;
  ctx.memory = int64_t{64} << 20;
  try {
    const BasketSet set = read_baskets({{file_of_bytes(data + 1, size - 1, "fuzz"), kCompressions[*data & 3]}}, ctx);
    fuzzing::require(set.rows() > 0 && set.offsets.back() == static_cast<int64_t>(set.items.size()), "the offsets do not end at the items");
    for (int64_t i = 0; i < set.rows(); ++i) {
      int32_t before = -1;
      for (const int32_t item : set.basket(i)) {
        fuzzing::require(item > before && item < set.n_items(), "a basket is out of order");
        before = item;
      }
    }
  } catch (const Error& error) {
    fuzzing::require(error.code == ErrorCode::kBadInput || error.code == ErrorCode::kMemory, error.what());
  }
  return 0;
}
