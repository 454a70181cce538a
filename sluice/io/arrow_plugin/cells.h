// Arrow's cells as numbers and as text.
#pragma once
#include <arrow/array/array_base.h>
#include <arrow/type.h>

#include <optional>
#include <string>
#include <string_view>

#include "sluice/io/arrow_plugin/arrow_table.h"

namespace sluice {

// What a column of this type can be; for a list, what its values are, with `list` set.
ArrowKind kind_of(const arrow::DataType& type, bool* list);

// Numbers in one cell of a list, from the first that is there; 0 if none is.
int64_t list_width(const arrow::Array& array);

// The rows [begin, begin + count) as numbers: `width` (at least 1) for each at out, out + stride, ... Missing ones are NaN. A whole number
// past 2^53 sets *beyond. Says why when a list has another length; `first_row` is the row number of `begin`.
std::optional<std::string> fill_numbers(const arrow::Array& array, int64_t begin, int64_t count, int64_t width, double* out, int64_t stride,
                                        int64_t first_row, bool* beyond);

// The cell as text, nothing if it is missing; whole numbers, dates and times are written out, bytes in hexadecimal digits. `scratch` may
// hold what is returned.
std::optional<std::string_view> text_at(const arrow::Array& array, int64_t row, std::string& scratch);

}  // namespace sluice
