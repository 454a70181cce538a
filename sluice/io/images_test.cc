#include "sluice/io/images.h"

#include <gtest/gtest.h>
#include <jpeglib.h>
#include <png.h>
#include <unistd.h>

#include <cstdio>  // jpeglib.h needs it first
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "sluice/core/error.h"
#include "sluice/core/random.h"
#include "sluice/io/picture.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMany = int64_t{1} << 24;

// A picture with smooth and rough parts.
Picture sample(int64_t width, int64_t height, int64_t channels) {
  Picture picture{width, height, channels, {}};
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      for (int64_t c = 0; c < channels; ++c) picture.pixels.push_back(static_cast<uint8_t>(x * 7 + y * 11 * (c + 1) + (x * y) % 5));
    }
  }
  return picture;
}

std::string png_of(const Picture& picture, int format) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(picture.width);
  image.height = static_cast<png_uint_32>(picture.height);
  image.format = static_cast<png_uint_32>(format);
  png_alloc_size_t size = 0;
  png_image_write_to_memory(&image, nullptr, &size, 0, picture.pixels.data(), 0, nullptr);
  std::string bytes(size, 0);
  EXPECT_NE(png_image_write_to_memory(&image, bytes.data(), &size, 0, picture.pixels.data(), 0, nullptr), 0) << image.message;
  bytes.resize(size);
  return bytes;
}

void append_png(png_structp png, png_bytep data, size_t count) {
  static_cast<std::string*>(png_get_io_ptr(png))->append(reinterpret_cast<char*>(data), count);
}

// Any colour type and depth; `rows` as they lie in the file.
std::string raw_png(int64_t width, int64_t height, int depth, int type, int interlace, const std::vector<std::vector<uint8_t>>& rows) {
  std::string bytes;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(png, &bytes, append_png, nullptr);
  png_set_IHDR(png, info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height), depth, type, interlace,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  const png_color colors[] = {{255, 0, 0}, {0, 255, 0}, {0, 0, 255}, {10, 20, 30}};
  if (type == PNG_COLOR_TYPE_PALETTE) png_set_PLTE(png, info, colors, 4);
  png_write_info(png, info);
  std::vector<png_bytep> places;
  for (const auto& row : rows) places.push_back(const_cast<png_bytep>(row.data()));
  png_write_image(png, places.data());
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return bytes;
}

std::string jpeg_of(const Picture& picture, bool progressive = false) {
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &memory, &size);
  jpeg.image_width = static_cast<JDIMENSION>(picture.width);
  jpeg.image_height = static_cast<JDIMENSION>(picture.height);
  jpeg.input_components = static_cast<int>(picture.channels);
  jpeg.in_color_space = picture.channels == 1 ? JCS_GRAYSCALE : picture.channels == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, 98, TRUE);
  for (int c = 0; c < jpeg.num_components; ++c) jpeg.comp_info[c].h_samp_factor = jpeg.comp_info[c].v_samp_factor = 1;
  if (progressive) jpeg_simple_progression(&jpeg);
  jpeg_start_compress(&jpeg, TRUE);
  while (jpeg.next_scanline < jpeg.image_height) {
    auto* row = const_cast<JSAMPROW>(picture.pixels.data()) + jpeg.next_scanline * static_cast<size_t>(picture.width * picture.channels);
    jpeg_write_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_compress(&jpeg);
  std::string bytes(reinterpret_cast<char*>(memory), size);
  jpeg_destroy_compress(&jpeg);
  std::free(memory);
  return bytes;
}

Picture decode(const std::string& bytes, bool gray = false) {
  return decode_picture(std::as_bytes(std::span(bytes)), gray, kMany, "test");
}

bool refused(const std::string& bytes) {
  try {
    decode(bytes);
    return false;
  } catch (const Error& error) {
    EXPECT_EQ(error.code, ErrorCode::kBadInput);
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return true;
  }
}

TEST(Picture, PngComesBackAsItWas) {
  for (const int64_t channels : {1, 3}) {
    const Picture picture = sample(13, 9, channels);
    const Picture back = decode(png_of(picture, channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB));
    EXPECT_EQ(back.width, 13);
    EXPECT_EQ(back.height, 9);
    EXPECT_EQ(back.channels, channels);
    EXPECT_EQ(back.pixels, picture.pixels);
  }
}

TEST(Picture, OtherKindsOfPng) {
  EXPECT_EQ(decode(raw_png(2, 1, 8, PNG_COLOR_TYPE_GRAY_ALPHA, 0, {{7, 255, 9, 0}})).pixels, (std::vector<uint8_t>{7, 9}));
  EXPECT_EQ(decode(raw_png(1, 1, 8, PNG_COLOR_TYPE_RGBA, 0, {{1, 2, 3, 4}})).pixels, (std::vector<uint8_t>{1, 2, 3}));
  EXPECT_EQ(decode(raw_png(2, 1, 16, PNG_COLOR_TYPE_GRAY, 0, {{0x80, 0x80, 0xff, 0xff}})).pixels, (std::vector<uint8_t>{128, 255}));
  EXPECT_EQ(decode(raw_png(4, 1, 2, PNG_COLOR_TYPE_GRAY, 0, {{0b00011011}})).pixels, (std::vector<uint8_t>{0, 85, 170, 255}));
  EXPECT_EQ(decode(raw_png(2, 1, 8, PNG_COLOR_TYPE_PALETTE, 0, {{2, 3}})).pixels, (std::vector<uint8_t>{0, 0, 255, 10, 20, 30}));
  const Picture picture = sample(5, 6, 1);
  std::vector<std::vector<uint8_t>> rows;
  for (int y = 0; y < 6; ++y) rows.emplace_back(picture.pixels.begin() + 5 * y, picture.pixels.begin() + 5 * (y + 1));
  EXPECT_EQ(decode(raw_png(5, 6, 8, PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_ADAM7, rows)).pixels, picture.pixels);
}

TEST(Picture, JpegIsNearWhatItWas) {
  for (const int64_t channels : {1, 3}) {
    for (const bool progressive : {false, true}) {
      Picture picture = sample(24, 16, channels);
      for (size_t i = 0; i < picture.pixels.size(); ++i)
        picture.pixels[i] = static_cast<uint8_t>(50 + i / static_cast<size_t>(channels) % 24 * 6);
      const Picture back = decode(jpeg_of(picture, progressive));
      ASSERT_EQ(back.pixels.size(), picture.pixels.size());
      for (size_t i = 0; i < back.pixels.size(); ++i) EXPECT_NEAR(back.pixels[i], picture.pixels[i], 4);
    }
  }
  EXPECT_EQ(decode(jpeg_of(sample(8, 8, 4))).channels, 3);
}

TEST(Picture, GrayIsLumaInIntegers) {
  const Picture picture = sample(10, 10, 3);
  const Picture gray = decode(png_of(picture, PNG_FORMAT_RGB), true);
  ASSERT_EQ(gray.channels, 1);
  for (size_t i = 0; i < 100; ++i) {
    const uint8_t* p = picture.pixels.data() + 3 * i;
    EXPECT_EQ(gray.pixels[i], (19595 * p[0] + 38470 * p[1] + 7471 * p[2] + 32768) / 65536);
  }
}

// Each old pixel cut into so many parts that parts fall into one new pixel each.
Picture resized_slowly(const Picture& from, int64_t width, int64_t height) {
  Picture to{width, height, from.channels, {}};
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      for (int64_t c = 0; c < from.channels; ++c) {
        int64_t sum = 0;
        for (int64_t v = y * from.height; v < (y + 1) * from.height; ++v) {
          for (int64_t u = x * from.width; u < (x + 1) * from.width; ++u) {
            sum += from.pixels[static_cast<size_t>((v / height * from.width + u / width) * from.channels + c)];
          }
        }
        to.pixels.push_back(static_cast<uint8_t>((2 * sum + from.width * from.height) / (2 * from.width * from.height)));
      }
    }
  }
  return to;
}

TEST(Picture, ResizingIsTheMeanOfTheArea) {
  for (const auto& [w, h] : {std::pair<int64_t, int64_t>{7, 5}, {28, 28}, {3, 40}, {1, 1}, {13, 9}}) {
    for (const int64_t channels : {1, 3}) {
      const Picture picture = sample(13, 9, channels);
      EXPECT_EQ(resize_picture(picture, w, h).pixels, resized_slowly(picture, w, h).pixels) << w << " x " << h;
    }
  }
}

TEST(Picture, CutAnywhereItIsRefused) {
  for (const std::string& whole : {png_of(sample(9, 7, 3), PNG_FORMAT_RGB), jpeg_of(sample(9, 7, 3)), jpeg_of(sample(9, 7, 1), true)}) {
    EXPECT_FALSE(refused(whole));
    for (size_t count = 0; count < whole.size(); ++count) EXPECT_TRUE(refused(whole.substr(0, count))) << count << " of " << whole.size();
  }
}

TEST(Picture, DamageNeverCrashes) {
  for (const std::string& whole :
       {png_of(sample(20, 17, 3), PNG_FORMAT_RGB), jpeg_of(sample(20, 17, 3)), jpeg_of(sample(20, 17, 3), true)}) {
    Random random(3, RandomStage::kSubsample, whole.size());
    for (int round = 0; round < 3000; ++round) {
      std::string bad = whole;
      for (int k = 0; k <= round % 3; ++k) bad[static_cast<size_t>(random.below(bad.size()))] = static_cast<char>(random.bits());
      refused(bad);
    }
  }
}

TEST(Picture, SizesThatTheFileCanNotHoldAreRefusedBeforeMemoryIsTaken) {
  std::string jpeg = jpeg_of(sample(8, 8, 1));
  const size_t frame = jpeg.find("\xff\xc0");
  ASSERT_NE(frame, std::string::npos);
  for (const size_t k : {5, 6, 7, 8}) jpeg[frame + k] = '\x7f';  // 32639 x 32639
  EXPECT_TRUE(refused(jpeg));
  const std::string fits = jpeg_of(sample(40, 40, 1));
  EXPECT_THROW(decode_picture(std::as_bytes(std::span(fits)), false, 1599, "test"), Error);
}

class ImagesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("sluice-images-" + std::to_string(getpid()));
    fs::create_directories(folder_ / "b");
  }
  void TearDown() override { fs::remove_all(folder_); }
  void put(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    files_.push_back((folder_ / name).string());
  }
  ErrorCode code(const ReadOptions& options) {
    try {
      read_images(files_, options, {});
    } catch (const Error& error) {
      line_ = error.what();
      return error.code;
    }
    return ErrorCode{0};
  }
  fs::path folder_;
  std::vector<std::string> files_;
  std::string line_;
};

double value(const Table& table, int64_t row, int64_t col) {
  BlockBuffer buffer;
  const MatrixBlock block = table.numbers->read(row, 1, buffer);
  std::vector<double> scratch(static_cast<size_t>(block.cols));
  return block.row(0, scratch.data())[col];
}

TEST_F(ImagesTest, OneRowAPictureWithItsNameAndRejections) {
  const Picture picture = sample(4, 3, 1);
  put("a.png", png_of(picture, PNG_FORMAT_GRAY));
  put("bad.png", png_of(picture, PNG_FORMAT_GRAY).substr(0, 40));
  put("b/c.png", png_of(picture, PNG_FORMAT_GRAY));
  put("b/none.jpg", "");
  const Table table = read_images(files_, {}, {});
  EXPECT_EQ(table.rows, 2);
  ASSERT_EQ(table.rejected.size(), 2u);
  EXPECT_EQ(table.rejected[0].name, "bad.png");
  EXPECT_NE(table.rejected[0].why.find("is a damaged PNG"), std::string::npos) << table.rejected[0].why;
  EXPECT_EQ(table.rejected[1].name, "b/none.jpg");
  ASSERT_EQ(table.columns.size(), 13u);
  EXPECT_EQ(table.columns[0].name, "file");
  EXPECT_EQ(table.columns[12].name, "p11");
  EXPECT_EQ(table.texts[0]->at(1), "b/c.png");
  for (int64_t j = 0; j < 12; ++j) EXPECT_EQ(value(table, 1, j), picture.pixels[static_cast<size_t>(j)]);
}

TEST_F(ImagesTest, GreyAmongColoursBecomesColour) {
  const Picture gray = sample(2, 2, 1);
  put("a.png", png_of(gray, PNG_FORMAT_GRAY));
  put("b.png", png_of(sample(2, 2, 3), PNG_FORMAT_RGB));
  const Table table = read_images(files_, {}, {});
  ASSERT_EQ(table.numbers->cols(), 12);
  for (int64_t j = 0; j < 12; ++j) EXPECT_EQ(value(table, 0, j), gray.pixels[static_cast<size_t>(j / 3)]);
  EXPECT_EQ(value(table, 1, 5), sample(2, 2, 3).pixels[5]);
  ReadOptions options;
  options.gray = true;
  EXPECT_EQ(read_images(files_, options, {}).numbers->cols(), 4);
}

TEST_F(ImagesTest, SizesMustAgreeOrBeAskedFor) {
  put("a.png", png_of(sample(4, 4, 1), PNG_FORMAT_GRAY));
  put("b.jpg", jpeg_of(sample(5, 4, 1)));
  ReadOptions options;
  EXPECT_EQ(code(options), ErrorCode::kBadInput);
  EXPECT_NE(line_.find("b.jpg: is 5 x 4 pixels"), std::string::npos) << line_;
  EXPECT_NE(line_.find("--size"), std::string::npos);
  options.image_size = 3;
  const Table table = read_images(files_, options, {});
  EXPECT_EQ(table.numbers->cols(), 9);
  EXPECT_EQ(value(table, 0, 4), resize_picture(sample(4, 4, 1), 3, 3).pixels[4]);
  options.image_size = 1'000'000;
  EXPECT_EQ(code(options), ErrorCode::kUsage);
}

TEST_F(ImagesTest, AllBrokenOrNoneIsAnError) {
  EXPECT_EQ(code({}), ErrorCode::kBadInput);
  put("a.png", "nothing");
  EXPECT_EQ(code({}), ErrorCode::kBadInput);
  EXPECT_NE(line_.find("neither a PNG nor a JPEG"), std::string::npos) << line_;
  files_[0] += ".missing";
  EXPECT_EQ(code({}), ErrorCode::kIo);
}

}  // namespace
}  // namespace sluice
