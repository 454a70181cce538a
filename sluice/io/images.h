// Folders of PNG and JPEG pictures as a table: one row a picture, one column a pixel and colour, its file name as an id.
#pragma once
#include <string>
#include <vector>

#include "sluice/core/row_store.h"
#include "sluice/core/table.h"
#include "sluice/io/read_options.h"

namespace sluice {

// Columns: `file` (text: the path below the folder that all files share), then p0, p1, ... row by row from the top left, red, green and
// blue of a pixel together; values 0 to 255. With options.gray one value a pixel: ITU-R BT.601 luma in integers,
// (19595 r + 38470 g + 7471 b + 32768) / 65536. Pictures that are grey themselves become colour unless all are grey.
// options.image_size scales every picture to so many pixels a side (area mean in integers, proportions not kept); without it all must
// have one size. Decoding, grey and scaling give the same values on every CPU.
//
// A file that can't be decoded is left out and listed in Table::rejected with its name and the reason.
// Cost: each file is read once; memory: one picture (at most 2^28 pixels) beside the row store.
// Throws Error{kBadInput} when no picture is whole, or without image_size naming the first that has another size; Error{kIo} for a file
// that can't be opened.
Table read_images(const std::vector<std::string>& files, const ReadOptions& options, const StoreOptions& store);

}  // namespace sluice
