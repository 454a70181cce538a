#include "sluice/io/fuzz/fuzzing.h"
#include "sluice/io/picture.h"

// The first byte chooses grey; the rest is the file. A picture that is taken is whole, and can be scaled.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice;
  if (size == 0) return 0;
  try {
    const Picture picture = decode_picture(std::as_bytes(std::span(data + 1, size - 1)), (*data & 1) != 0, int64_t{1} << 20, "fuzz");
    fuzzing::require(picture.width > 0 && picture.height > 0 && (picture.channels == 1 || picture.channels == 3),
                     "no picture was accepted");
    fuzzing::require(static_cast<int64_t>(picture.pixels.size()) == picture.width * picture.height * picture.channels,
                     "pixels are missing");
    const Picture small = resize_picture(picture, 3, 5);
    fuzzing::require(static_cast<int64_t>(small.pixels.size()) == 15 * picture.channels, "pixels went missing");
  } catch (const Error& error) {
    fuzzing::require(error.code == ErrorCode::kBadInput, error.what());
  }
  return 0;
}
