// One picture: PNG or JPEG bytes to pixels, and pixels to another size.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace sluice {

struct Picture {
  int64_t width = 0;
  int64_t height = 0;
  int64_t channels = 0;         // 1 grey, 3 red, green, blue
  std::vector<uint8_t> pixels;  // row by row from the top, channels together
};

// Decodes by the first bytes, not the name. Grey only where `gray` is asked or the file holds no colour; 16 bits become 8, palettes their
// colours, transparency is dropped. JPEG by the exact integer transform, so the pixels are the same on every CPU.
// `most_pixels` bounds width * height before anything is allocated. Throws Error{kBadInput} with `where` for all that is not whole.
Picture decode_picture(std::span<const std::byte> bytes, bool gray, int64_t most_pixels, const std::string& where);

// Each new pixel is the mean of the area it covers in the old picture, in integers, rounded to nearest. Shrinks and enlarges.
// Cost: O(old pixels + new pixels).
Picture resize_picture(const Picture& from, int64_t width, int64_t height);

}  // namespace sluice
