#include "sluice/io/picture.h"

#include <jerror.h>
#include <jpeglib.h>
#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstdio>  // jpeglib.h needs it first
#include <cstring>

#include "sluice/core/error.h"

namespace sluice {
namespace {

constexpr int64_t kMaxSide = int64_t{1} << 20;
// No picture holds more pixels for a byte of its file: deflate packs at most 1032 to 1, and a JPEG block of up to 32 x 32 pixels takes
// bits.
constexpr int64_t kPixelsPerByte = 8 * 1032;
constexpr int64_t kPixelsAnyway = int64_t{1} << 16;

[[noreturn]] void refuse(const std::string& where, const std::string& why) {
  fail(ErrorCode::kBadInput, where, why, "replace the picture or leave it out");
}

void require_size(int64_t width, int64_t height, size_t bytes, int64_t most_pixels, const std::string& where) {
  const std::string size = "says that it is " + std::to_string(width) + " x " + std::to_string(height) + " pixels";
  if (width < 1 || height < 1) refuse(where, size);
  if (width > kMaxSide || height > kMaxSide || width * height > most_pixels)
    refuse(where, size + ", more than " + std::to_string(most_pixels));
  if (width * height > kPixelsAnyway && width * height / kPixelsPerByte > static_cast<int64_t>(bytes)) {
    refuse(where, size + ", which its " + std::to_string(bytes) + " bytes can't hold");
  }
}

// Errors in the libraries leave by longjmp, so nothing with a destructor lives in a function that they are called from; what they
// need stands in these structs, whose owners are one frame further out.
struct PngReader {
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::span<const std::byte> left;
  std::vector<png_bytep> rows;
  char why[200] = "";

  ~PngReader() { png_destroy_read_struct(&png, &info, nullptr); }
};

[[noreturn]] void png_failed(png_structp png, png_const_charp why) {
  auto* reader = static_cast<PngReader*>(png_get_error_ptr(png));
  std::snprintf(reader->why, sizeof reader->why, "%s", why);
  png_longjmp(png, 1);
}

void png_warned(png_structp, png_const_charp) {}

void png_give(png_structp png, png_bytep to, size_t count) {
  auto* reader = static_cast<PngReader*>(png_get_io_ptr(png));
  if (reader->left.size() < count) png_error(png, "it ends too early");
  std::memcpy(to, reader->left.data(), count);
  reader->left = reader->left.subspan(count);
}

// Up to the pixels: the header, and every kind of PNG turned into 8 bits, grey or colour.
bool png_head(PngReader& reader) {
  if (setjmp(png_jmpbuf(reader.png))) return false;
  png_set_read_fn(reader.png, &reader, png_give);
  png_set_user_limits(reader.png, kMaxSide, kMaxSide);
  png_set_chunk_malloc_max(reader.png, 1 << 23);
  png_read_info(reader.png, reader.info);
  png_set_expand(reader.png);
  png_set_scale_16(reader.png);
  png_set_strip_alpha(reader.png);
  png_set_interlace_handling(reader.png);
  png_read_update_info(reader.png, reader.info);
  return true;
}

bool png_body(PngReader& reader) {
  if (setjmp(png_jmpbuf(reader.png))) return false;
  png_read_image(reader.png, reader.rows.data());
  png_read_end(reader.png, nullptr);
  return true;
}

Picture decode_png(std::span<const std::byte> bytes, int64_t most_pixels, const std::string& where) {
  PngReader reader;
  reader.left = bytes;
  reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, png_failed, png_warned);
  if (reader.png == nullptr) throw std::bad_alloc();
  reader.info = png_create_info_struct(reader.png);
  if (reader.info == nullptr) throw std::bad_alloc();
  if (!png_head(reader)) refuse(where, std::string("is a damaged PNG: ") + reader.why);
  Picture picture;
  picture.width = png_get_image_width(reader.png, reader.info);
  picture.height = png_get_image_height(reader.png, reader.info);
  picture.channels = png_get_channels(reader.png, reader.info);
  require_size(picture.width, picture.height, bytes.size(), most_pixels, where);
  const size_t row_bytes = static_cast<size_t>(picture.width * picture.channels);
  if ((picture.channels != 1 && picture.channels != 3) || png_get_rowbytes(reader.png, reader.info) != row_bytes) {
    refuse(where, "is a PNG of an unknown kind");
  }
  picture.pixels.resize(row_bytes * static_cast<size_t>(picture.height));
  for (int64_t y = 0; y < picture.height; ++y) reader.rows.push_back(picture.pixels.data() + static_cast<size_t>(y) * row_bytes);
  if (!png_body(reader)) refuse(where, std::string("is a damaged PNG: ") + reader.why);
  return picture;
}

struct JpegReader {
  jpeg_decompress_struct jpeg{};
  jpeg_error_mgr errors{};
  jmp_buf leave;
  bool made = false;
  uint8_t* row = nullptr;  // where the next row goes
  size_t row_bytes = 0;
  char why[JMSG_LENGTH_MAX] = "";

  ~JpegReader() {
    if (made) jpeg_destroy_decompress(&jpeg);
  }
};

[[noreturn]] void jpeg_failed(j_common_ptr jpeg) {
  auto* reader = static_cast<JpegReader*>(jpeg->client_data);
  jpeg->err->format_message(jpeg, reader->why);
  std::longjmp(reader->leave, 1);
}

// The library goes on with grey pixels where data is damaged or missing; we don't.
void jpeg_warned(j_common_ptr jpeg, int level) {
  if (level >= 0) return;
  const int code = jpeg->err->msg_code;
  if (code == JWRN_EXTRANEOUS_DATA || code == JWRN_JFIF_MAJOR || code == JWRN_ADOBE_XFORM) return;  // the pixels are whole
  jpeg_failed(jpeg);
}

bool jpeg_head(JpegReader& reader, const std::byte* bytes, size_t count) {
  if (setjmp(reader.leave)) return false;
  jpeg_create_decompress(&reader.jpeg);
  reader.made = true;
  jpeg_mem_src(&reader.jpeg, reinterpret_cast<const unsigned char*>(bytes), count);
  jpeg_read_header(&reader.jpeg, TRUE);
  const int parts = reader.jpeg.num_components;
  reader.jpeg.out_color_space = parts == 1 ? JCS_GRAYSCALE : parts == 4 ? JCS_CMYK : JCS_RGB;
  reader.jpeg.dct_method = JDCT_ISLOW;
  return true;
}

bool jpeg_body(JpegReader& reader) {
  if (setjmp(reader.leave)) return false;
  jpeg_start_decompress(&reader.jpeg);
  while (reader.jpeg.output_scanline < reader.jpeg.output_height) {
    JSAMPROW row = reader.row;
    jpeg_read_scanlines(&reader.jpeg, &row, 1);
    reader.row += reader.row_bytes;
  }
  jpeg_finish_decompress(&reader.jpeg);
  return true;
}

// Cyan, magenta, yellow and black to colours; files of Adobe's programs hold them inverted.
void from_cmyk(Picture& picture, bool inverted) {
  const size_t count = picture.pixels.size() / 4;
  for (size_t i = 0; i < count; ++i) {
    const auto light = [&](size_t c) { return static_cast<int>(inverted ? picture.pixels[4 * i + c] : 255 - picture.pixels[4 * i + c]); };
    for (size_t c = 0; c < 3; ++c) picture.pixels[3 * i + c] = static_cast<uint8_t>((light(c) * light(3) + 127) / 255);
  }
  picture.pixels.resize(3 * count);
  picture.channels = 3;
}

Picture decode_jpeg(std::span<const std::byte> bytes, int64_t most_pixels, const std::string& where) {
  JpegReader reader;
  reader.jpeg.err = jpeg_std_error(&reader.errors);
  reader.jpeg.client_data = &reader;
  reader.errors.error_exit = jpeg_failed;
  reader.errors.emit_message = jpeg_warned;
  if (!jpeg_head(reader, bytes.data(), bytes.size())) refuse(where, std::string("is a damaged JPEG: ") + reader.why);
  Picture picture;
  picture.width = reader.jpeg.image_width;
  picture.height = reader.jpeg.image_height;
  picture.channels = reader.jpeg.num_components;
  require_size(picture.width, picture.height, bytes.size(), most_pixels, where);
  if (picture.channels != 1 && picture.channels != 3 && picture.channels != 4) refuse(where, "is a JPEG of an unknown kind");
  reader.row_bytes = static_cast<size_t>(picture.width * picture.channels);
  picture.pixels.resize(reader.row_bytes * static_cast<size_t>(picture.height));
  reader.row = picture.pixels.data();
  const bool adobe = reader.jpeg.saw_Adobe_marker;
  if (!jpeg_body(reader)) refuse(where, std::string("is a damaged JPEG: ") + reader.why);
  if (picture.channels == 4) from_cmyk(picture, adobe);
  return picture;
}

void to_gray(Picture& picture) {
  const size_t count = picture.pixels.size() / 3;
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* p = picture.pixels.data() + 3 * i;
    picture.pixels[i] = static_cast<uint8_t>((19595 * p[0] + 38470 * p[1] + 7471 * p[2] + 32768) >> 16);
  }
  picture.pixels.resize(count);
  picture.channels = 1;
}

}  // namespace

Picture decode_picture(std::span<const std::byte> bytes, bool gray, int64_t most_pixels, const std::string& where) {
  const auto starts = [&](const char* magic, size_t count) {
    return bytes.size() >= count && std::memcmp(bytes.data(), magic, count) == 0;
  };
  Picture picture;
  if (starts("\x89PNG\r\n\x1a\n", 8)) {
    picture = decode_png(bytes, most_pixels, where);
  } else if (starts("\xff\xd8\xff", 3)) {
    picture = decode_jpeg(bytes, most_pixels, where);
  } else {
    refuse(where, bytes.empty() ? "is empty" : "is neither a PNG nor a JPEG");
  }
  if (gray && picture.channels == 3) to_gray(picture);
  return picture;
}

Picture resize_picture(const Picture& from, int64_t width, int64_t height) {
  Picture to{width, height, from.channels, std::vector<uint8_t>(static_cast<size_t>(width * height * from.channels))};
  // In units in which an old pixel is width x height and a new one from.width x from.height, all edges are integers.
  const int64_t area = from.width * from.height;
  for (int64_t y = 0; y < height; ++y) {
    const int64_t top = y * from.height;
    const int64_t bottom = top + from.height;
    for (int64_t x = 0; x < width; ++x) {
      const int64_t left = x * from.width;
      const int64_t right = left + from.width;
      for (int64_t c = 0; c < from.channels; ++c) {
        int64_t sum = 0;  // at most 255 * area
        for (int64_t v = top / height; v * height < bottom; ++v) {
          const int64_t high = std::min(bottom, (v + 1) * height) - std::max(top, v * height);
          int64_t line = 0;
          for (int64_t u = left / width; u * width < right; ++u) {
            const int64_t wide = std::min(right, (u + 1) * width) - std::max(left, u * width);
            line += wide * from.pixels[static_cast<size_t>((v * from.width + u) * from.channels + c)];
          }
          sum += high * line;
        }
        to.pixels[static_cast<size_t>((y * width + x) * from.channels + c)] = static_cast<uint8_t>((2 * sum + area) / (2 * area));
      }
    }
  }
  return to;
}

}  // namespace sluice
