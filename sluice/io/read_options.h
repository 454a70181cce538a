// What may be said about an input beside its name. Shared by all readers.
#pragma once
#include <cstdint>
#include <string>

namespace sluice {

struct ReadOptions {
  std::string format;      // "" = by the file's name
  bool header = true;      // CSV, TSV: the first record holds the names
  std::string array;       // npz: which array; "" = X, else the only two-dimensional one
  std::string encoding;    // text formats: "" = UTF-8
  int64_t image_size = 0;  // pictures: scaled to this many pixels a side; 0 = all must have one size
  bool gray = false;       // pictures: one brightness instead of red, green, blue
};

}  // namespace sluice
