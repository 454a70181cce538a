// Labels of rows from a file of their own.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace sluice {

struct LabelFile {
  std::vector<int64_t> values;     // one a row
  std::vector<std::string> names;  // words: values are places in this sorted list; empty for numbers
};

// .npy (integers, or floats that are whole), IDX, or text with one label a line (each but .npy also .gz, .zst). Text lines that are all
// integers are taken as they are; else each distinct line is a word, numbered in byte order from 0.
// Memory: 8 bytes a row, for words also the text. Throws Error{kIo} when it is missing, Error{kBadInput} when it holds more than one
// column, no label, an empty line, or a number that is not whole.
LabelFile read_labels(const std::string& path);

}  // namespace sluice
