#include "sluice/io/arrow_plugin/cells.h"

#include <arrow/array.h>
#include <arrow/extension_type.h>
#include <arrow/scalar.h>
#include <arrow/util/float16.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

namespace sluice {
namespace {

using arrow::Array;
using arrow::Type;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr int64_t kMaxExact = int64_t{1} << 53;

template <class T>
const T& as(const Array& array) {
  return static_cast<const T&>(array);
}

double bfloat16(const uint8_t* at) {
  return std::bit_cast<float>(static_cast<uint32_t>(at[0] | at[1] << 8) << 16);
}

template <class T, class Value>
void fill_each(const Array& array, int64_t begin, int64_t count, double* out, int64_t stride, const Value& value) {
  const T& typed = as<T>(array);
  for (int64_t i = 0; i < count; ++i) out[i * stride] = typed.IsNull(begin + i) ? kNaN : value(typed, begin + i);
}

template <class T>
void fill_plain(const Array& array, int64_t begin, int64_t count, double* out, int64_t stride) {
  fill_each<T>(array, begin, count, out, stride, [](const T& a, int64_t i) { return static_cast<double>(a.Value(i)); });
}

template <class T>
void fill_long(const Array& array, int64_t begin, int64_t count, double* out, int64_t stride, bool* beyond) {
  fill_each<T>(array, begin, count, out, stride, [beyond](const T& a, int64_t i) {
    const auto value = a.Value(i);
    if (value > static_cast<decltype(value)>(kMaxExact)) *beyond = true;
    if constexpr (std::is_signed_v<decltype(value)>) {
      if (value < -kMaxExact) *beyond = true;
    }
    return static_cast<double>(value);
  });
}

// A decimal is the double nearest to what it writes, as the same digits in a CSV would be.
template <class T>
void fill_decimal(const Array& array, int64_t begin, int64_t count, double* out, int64_t stride, bool* beyond) {
  const bool whole = static_cast<const arrow::DecimalType&>(*array.type()).scale() <= 0;
  fill_each<T>(array, begin, count, out, stride, [beyond, whole](const T& a, int64_t i) {
    const std::string digits = a.FormatValue(i);
    double value = kNaN;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (whole && std::fabs(value) >= static_cast<double>(kMaxExact)) *beyond = true;
    return value;
  });
}

void fill_flat(const Array& array, int64_t begin, int64_t count, double* out, int64_t stride, bool* beyond);

void fill_dictionary(const Array& array, int64_t begin, int64_t count, double* out, int64_t stride, bool* beyond) {
  const auto& typed = as<arrow::DictionaryArray>(array);
  for (int64_t i = 0; i < count; ++i) {
    if (typed.IsNull(begin + i)) {
      out[i * stride] = kNaN;
    } else {
      fill_flat(*typed.dictionary(), typed.GetValueIndex(begin + i), 1, out + i * stride, 1, beyond);
    }
  }
}

void fill_flat(const Array& array, int64_t begin, int64_t count, double* out, int64_t stride, bool* beyond) {
  switch (array.type_id()) {
    case Type::BOOL:
      return fill_plain<arrow::BooleanArray>(array, begin, count, out, stride);
    case Type::INT8:
      return fill_plain<arrow::Int8Array>(array, begin, count, out, stride);
    case Type::INT16:
      return fill_plain<arrow::Int16Array>(array, begin, count, out, stride);
    case Type::INT32:
      return fill_plain<arrow::Int32Array>(array, begin, count, out, stride);
    case Type::UINT8:
      return fill_plain<arrow::UInt8Array>(array, begin, count, out, stride);
    case Type::UINT16:
      return fill_plain<arrow::UInt16Array>(array, begin, count, out, stride);
    case Type::UINT32:
      return fill_plain<arrow::UInt32Array>(array, begin, count, out, stride);
    case Type::FLOAT:
      return fill_plain<arrow::FloatArray>(array, begin, count, out, stride);
    case Type::DOUBLE:
      return fill_plain<arrow::DoubleArray>(array, begin, count, out, stride);
    case Type::INT64:
      return fill_long<arrow::Int64Array>(array, begin, count, out, stride, beyond);
    case Type::UINT64:
      return fill_long<arrow::UInt64Array>(array, begin, count, out, stride, beyond);
    case Type::DECIMAL32:
      return fill_decimal<arrow::Decimal32Array>(array, begin, count, out, stride, beyond);
    case Type::DECIMAL64:
      return fill_decimal<arrow::Decimal64Array>(array, begin, count, out, stride, beyond);
    case Type::DECIMAL128:
      return fill_decimal<arrow::Decimal128Array>(array, begin, count, out, stride, beyond);
    case Type::DECIMAL256:
      return fill_decimal<arrow::Decimal256Array>(array, begin, count, out, stride, beyond);
    case Type::DICTIONARY:
      return fill_dictionary(array, begin, count, out, stride, beyond);
    case Type::EXTENSION:
      return fill_flat(*as<arrow::ExtensionArray>(array).storage(), begin, count, out, stride, beyond);
    case Type::HALF_FLOAT:
      return fill_each<arrow::HalfFloatArray>(
          array, begin, count, out, stride, [](const auto& a, int64_t i) { return arrow::util::Float16::FromBits(a.Value(i)).ToDouble(); });
    case Type::FIXED_SIZE_BINARY:
      return fill_each<arrow::FixedSizeBinaryArray>(array, begin, count, out, stride,
                                                    [](const auto& a, int64_t i) { return bfloat16(a.GetValue(i)); });
    default:
      for (int64_t i = 0; i < count; ++i) out[i * stride] = kNaN;  // the null type: nothing but missing cells
  }
}

// Where the values of list number i begin, and how many there are; -1 where it is missing.
struct Extent {
  int64_t begin;
  int64_t count;
};

template <class T>
Extent extent_of(const Array& array, int64_t i) {
  const T& typed = as<T>(array);
  return {typed.value_offset(i), typed.IsNull(i) ? -1 : static_cast<int64_t>(typed.value_length(i))};
}

Extent extent_at(const Array& array, int64_t i) {
  switch (array.type_id()) {
    case Type::LIST:
      return extent_of<arrow::ListArray>(array, i);
    case Type::LARGE_LIST:
      return extent_of<arrow::LargeListArray>(array, i);
    default:
      return extent_of<arrow::FixedSizeListArray>(array, i);
  }
}

const Array& values_of(const Array& array) {
  switch (array.type_id()) {
    case Type::LIST:
      return *as<arrow::ListArray>(array).values();
    case Type::LARGE_LIST:
      return *as<arrow::LargeListArray>(array).values();
    default:
      return *as<arrow::FixedSizeListArray>(array).values();
  }
}

bool holds_lists(Type::type id) {
  return id == Type::LIST || id == Type::LARGE_LIST || id == Type::FIXED_SIZE_LIST;
}

const Array& storage_of(const Array& array) {
  return array.type_id() == Type::EXTENSION ? storage_of(*as<arrow::ExtensionArray>(array).storage()) : array;
}

void fill_missing(double* out, int64_t width) {
  for (int64_t j = 0; j < width; ++j) out[j] = kNaN;
}

template <class T>
std::string_view view_of(const Array& array, int64_t row) {
  return as<T>(array).GetView(row);
}

std::string hexadecimal(std::string_view bytes) {
  std::string digits;
  for (const char c : bytes) {
    digits += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
    digits += "0123456789abcdef"[c & 15];
  }
  return digits;
}

template <class T>
std::string_view digits_of(const Array& array, int64_t row, std::string& scratch) {
  return scratch = std::to_string(as<T>(array).Value(row));
}

}  // namespace

ArrowKind kind_of(const arrow::DataType& type, bool* list) {
  switch (type.id()) {
    case Type::BOOL:
    case Type::INT8:
    case Type::INT16:
    case Type::INT32:
    case Type::INT64:
    case Type::UINT8:
    case Type::UINT16:
    case Type::UINT32:
    case Type::UINT64:
      return ArrowKind::kInteger;
    case Type::NA:
    case Type::HALF_FLOAT:
    case Type::FLOAT:
    case Type::DOUBLE:
      return ArrowKind::kReal;
    case Type::DECIMAL32:
    case Type::DECIMAL64:
    case Type::DECIMAL128:
    case Type::DECIMAL256:
      return static_cast<const arrow::DecimalType&>(type).scale() <= 0 ? ArrowKind::kInteger : ArrowKind::kReal;
    case Type::STRING:
    case Type::LARGE_STRING:
    case Type::STRING_VIEW:
    case Type::BINARY:
    case Type::LARGE_BINARY:
    case Type::BINARY_VIEW:
    case Type::DATE32:
    case Type::DATE64:
    case Type::TIME32:
    case Type::TIME64:
    case Type::TIMESTAMP:
    case Type::DURATION:
      return ArrowKind::kText;
    case Type::EXTENSION:
      return kind_of(*static_cast<const arrow::ExtensionType&>(type).storage_type(), list);
    case Type::FIXED_SIZE_BINARY:  // two bytes are how bfloat16 travels in Arrow; more may as well be a key or a hash
      return static_cast<const arrow::FixedSizeBinaryType&>(type).byte_width() == 2 ? ArrowKind::kReal : ArrowKind::kText;
    case Type::DICTIONARY: {
      bool nested = false;
      const ArrowKind values = kind_of(*static_cast<const arrow::DictionaryType&>(type).value_type(), &nested);
      return nested ? ArrowKind::kOther : values;
    }
    case Type::LIST:
    case Type::LARGE_LIST:
    case Type::FIXED_SIZE_LIST: {
      bool nested = false;
      const ArrowKind values = kind_of(*static_cast<const arrow::BaseListType&>(type).value_type(), &nested);
      *list = true;
      return nested || values == ArrowKind::kText ? ArrowKind::kOther : values;
    }
    default:
      return ArrowKind::kOther;
  }
}

int64_t list_width(const arrow::Array& outer) {
  const Array& array = storage_of(outer);
  if (!holds_lists(array.type_id())) return 0;
  for (int64_t i = 0; i < array.length(); ++i) {
    const Extent extent = extent_at(array, i);
    if (extent.count > 0) return extent.count;
  }
  return 0;
}

std::optional<std::string> fill_numbers(const Array& outer, int64_t begin, int64_t count, int64_t width, double* out, int64_t stride,
                                        int64_t first_row, bool* beyond) {
  const Array& array = storage_of(outer);
  if (!holds_lists(array.type_id())) {
    fill_flat(array, begin, count, out, stride, beyond);
    return std::nullopt;
  }
  const Array& values = values_of(array);
  for (int64_t i = 0; i < count; ++i, out += stride) {
    const Extent extent = extent_at(array, begin + i);
    if (extent.count == width) {
      fill_flat(values, extent.begin, width, out, 1, beyond);
    } else if (extent.count < 0) {
      fill_missing(out, width);
    } else {
      return "row " + std::to_string(first_row + i) + " holds a list of " + std::to_string(extent.count) + " where " +
             std::to_string(width) + " are expected";
    }
  }
  return std::nullopt;
}

std::optional<std::string_view> text_at(const Array& array, int64_t row, std::string& scratch) {
  if (array.IsNull(row)) return std::nullopt;
  switch (array.type_id()) {
    case Type::STRING:
    case Type::BINARY:
      return view_of<arrow::BinaryArray>(array, row);
    case Type::LARGE_STRING:
    case Type::LARGE_BINARY:
      return view_of<arrow::LargeBinaryArray>(array, row);
    case Type::STRING_VIEW:
    case Type::BINARY_VIEW:
      return view_of<arrow::BinaryViewArray>(array, row);
    case Type::INT64:
      return digits_of<arrow::Int64Array>(array, row, scratch);
    case Type::UINT64:
      return digits_of<arrow::UInt64Array>(array, row, scratch);
    case Type::DECIMAL32:
      return scratch = as<arrow::Decimal32Array>(array).FormatValue(row);
    case Type::DECIMAL64:
      return scratch = as<arrow::Decimal64Array>(array).FormatValue(row);
    case Type::DECIMAL128:
      return scratch = as<arrow::Decimal128Array>(array).FormatValue(row);
    case Type::DECIMAL256:
      return scratch = as<arrow::Decimal256Array>(array).FormatValue(row);
    case Type::EXTENSION:
      return text_at(*as<arrow::ExtensionArray>(array).storage(), row, scratch);
    case Type::DICTIONARY: {
      const auto& typed = as<arrow::DictionaryArray>(array);
      return text_at(*typed.dictionary(), typed.GetValueIndex(row), scratch);
    }
    case Type::FIXED_SIZE_BINARY:
      return scratch = hexadecimal(as<arrow::FixedSizeBinaryArray>(array).GetView(row));
    default: {
      const auto cell = array.GetScalar(row);
      return scratch = cell.ok() ? (*cell)->ToString() : "";
    }
  }
}

}  // namespace sluice
