// Which format a file's name stands for, and which files the words of a command line stand for.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace sluice {

enum class Format : uint8_t { kCsv, kTsv, kJsonl, kNpy, kNpz, kIdx, kArrow, kImages, kBaskets, kText, kAudio, kUnknown };

// By the name alone, .gz and .zst aside.
Format format_of_name(const std::string& path);
// By the word of --format. Throws Error{kUsage} listing the words there are.
Format format_of_word(const std::string& word);

// Files in reading order: a file stands for itself, a folder for all files in it and below (hidden ones aside) and a pattern with * ? [ ]
// for what matches it, both sorted by their bytes. Throws Error{kIo} for what is missing, Error{kUsage} for s3:// (not there yet).
std::vector<std::string> expand_inputs(const std::vector<std::string>& inputs);

}  // namespace sluice
