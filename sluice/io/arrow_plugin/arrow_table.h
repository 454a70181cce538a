// What libsluice_arrow gives the program: C functions over one open Parquet or Arrow file. Not for use elsewhere: io/arrow_reader.h is
// the C++ face of it. Read columns(), choose some by begin(), then call next() until it gives 0; begin() may be called again.
#pragma once
#include <cstdint>

namespace sluice {

enum class ArrowKind : int32_t {
  kReal,     // a floating number, or a list of them
  kInteger,  // a whole number or bool, or a list of them
  kText,     // text, and what is only good as such: dates and times, and binary of a fixed size other than 2 in hexadecimal digits
  kOther,    // structs, maps, lists in lists
};

struct ArrowColumn {
  const char* name;  // valid until close()
  const char* type;  // Arrow's name for it
  ArrowKind kind;
  int64_t width;  // numbers in a cell of a list, 0 where it is no list
};

struct ArrowCalls {
  void* context;
  // One cell of a text column, columns in order, within each the rows in order; length -1 where it is missing. Not 0: stop.
  int (*text)(void* context, int64_t column, const char* bytes, int64_t length);
  // A whole number past 2^53 stood in this column.
  void (*beyond)(void* context, int64_t column);
};

struct ArrowTable {
  static constexpr uint32_t kVersion = 1;
  uint32_t version;
  // Takes the descriptor over. `memory`: most bytes Arrow may hold at a time. Null: see failure(nullptr).
  void* (*open)(int fd, int64_t memory);
  int64_t (*columns)(void* file);
  void (*column)(void* file, int64_t number, ArrowColumn* column);
  // The columns to read from the first row on, ascending: as numbers, and as text. 0, or not 0 with a failure.
  int (*begin)(void* file, const int64_t* numbers, int64_t number_count, const int64_t* texts, int64_t text_count);
  // The next rows, row by row, all numbers of a list in its place; valid until the next call. How many; 0 at the end, -1 on failure.
  int64_t (*next)(void* file, const ArrowCalls* calls, const double** numbers);
  void (*close)(void* file);
  // Exit code (3 bad input, 5 memory, 0 stopped by a call) and text of the last failure of the file, or of open() in this thread.
  int32_t (*failure)(void* file, const char** text);
};

}  // namespace sluice
