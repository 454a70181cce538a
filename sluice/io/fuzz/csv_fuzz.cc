#include "sluice/io/csv.h"
#include "sluice/io/fuzz/fuzzing.h"

// The first byte chooses header, delimiter, encoding and compression; the rest is the file.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice;
  if (size == 0) return 0;
  CsvOptions options{(*data & 2) != 0 ? '\t' : ',', (*data & 1) != 0, ""};
  static const char* const kEncodings[] = {"", "ISO-8859-1", "GB18030", "UTF-16"};
  options.encoding = kEncodings[*data >> 2 & 3];
  static const Compression kCompressions[] = {Compression::kNone, Compression::kNone, Compression::kGzip, Compression::kZstd};
  const Compression compression = kCompressions[*data >> 4 & 3];
  Context ctx;
  return fuzzing::read(data + 1, size - 1, [&](const auto& file) { return read_csv({{file, compression}}, options, {}, ctx); });
}
