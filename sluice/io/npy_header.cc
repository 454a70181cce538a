#include "sluice/io/npy_header.h"

#include <charconv>

#include "sluice/core/error.h"
#include "sluice/io/dense.h"

namespace sluice {
namespace {

constexpr size_t kMaxDimensions = 64;  // NumPy's own limit

[[noreturn]] void damaged(const std::string& where, const std::string& why) {
  fail(ErrorCode::kBadInput, where, why, "save it again with numpy.save");
}

// The one Python literal that stands in a header: a dictionary of three known keys.
class DictionaryParser {
 public:
  DictionaryParser(std::string_view text, std::string where) : text_(text), where_(std::move(where)) {}

  void parse(NpyHeader& header, std::string& descr) {
    expect('{');
    bool seen[3] = {false, false, false};
    while (peek() != '}') {
      const std::string key = quoted();
      expect(':');
      const int which = key == "descr" ? 0 : key == "fortran_order" ? 1 : key == "shape" ? 2 : -1;
      if (which < 0 || seen[which]) damaged(where_, "has the unexpected or repeated key '" + key + "' in its header");
      seen[which] = true;
      if (which == 0) descr = quoted_descr();
      if (which == 1) header.fortran_order = boolean();
      if (which == 2) header.shape = tuple();
      if (peek() == ',')
        ++at_;
      else if (peek() != '}')
        damaged(where_, "has a damaged header");
    }
    ++at_;
    if (!seen[0] || !seen[1] || !seen[2]) damaged(where_, "has a header without descr, fortran_order or shape");
    skip_space();
    if (at_ != text_.size()) damaged(where_, "has a damaged header");
  }

 private:
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r')) ++at_;
  }
  char peek() {
    skip_space();
    if (at_ >= text_.size()) damaged(where_, "has a header that ends too early");
    return text_[at_];
  }
  void expect(char c) {
    if (peek() != c) damaged(where_, std::string("has a damaged header: '") + c + "' is missing");
    ++at_;
  }
  bool take(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  std::string quoted() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') damaged(where_, "has a damaged header: a quoted word is missing");
    const size_t end = text_.find(quote, ++at_);
    if (end == std::string_view::npos || end - at_ > 256) damaged(where_, "has a damaged header: a quote is not closed");
    std::string word(text_.substr(at_, end - at_));
    at_ = end + 1;
    return word;
  }
  std::string quoted_descr() {
    if (peek() == '[' || peek() == '(' || peek() == '{') {
      fail(ErrorCode::kBadInput, where_, "holds structures (several fields a value)", "save one plain array of numbers");
    }
    return quoted();
  }
  bool boolean() {
    peek();
    if (take("True")) return true;
    if (take("False")) return false;
    damaged(where_, "has a damaged header: fortran_order is neither True nor False");
  }
  std::vector<int64_t> tuple() {
    expect('(');
    std::vector<int64_t> shape;
    while (peek() != ')') {
      if (shape.size() == kMaxDimensions) damaged(where_, "has more than 64 dimensions");
      shape.push_back(dimension());
      if (peek() == ',')
        ++at_;
      else if (peek() != ')')
        damaged(where_, "has a damaged shape in its header");
    }
    ++at_;
    return shape;
  }
  int64_t dimension() {
    peek();
    int64_t value = -1;
    const char* end = text_.data() + text_.size();
    const auto [stop, error] = std::from_chars(text_.data() + at_, end, value);
    if (error != std::errc() || value < 0) damaged(where_, "has a dimension that is not a count in its header");
    at_ = static_cast<size_t>(stop - text_.data());
    take("L");  // Python 2 wrote long integers so
    return value;
  }

  std::string_view text_;
  std::string where_;
  size_t at_ = 0;
};

[[noreturn]] void refuse_type(const std::string& where, const std::string& descr, const std::string& what) {
  fail(ErrorCode::kBadInput, where, "holds " + what + " (" + descr + ")", "save it as numbers: integers, or floats of 16, 32 or 64 bits");
}

// "<f8": byte order, kind, bytes.
void read_descr(const std::string& descr, const std::string& where, NpyHeader& header) {
  const bool has_order = !descr.empty() && std::string_view("<>|=").find(descr[0]) != std::string_view::npos;
  const std::string kind = descr.substr(has_order ? 1 : 0);
  switch (kind.empty() ? ' ' : kind[0]) {
    case 'O':
      refuse_type(where, descr, "Python objects (a pickle), which are never loaded");
    case 'c':
      refuse_type(where, descr, "complex numbers");
    case 'S':
    case 'a':
    case 'U':
      refuse_type(where, descr, "strings");
    case 'M':
    case 'm':
      refuse_type(where, descr, "dates or time spans");
    case 'V':
      refuse_type(where, descr, "raw bytes or structures");
    default:
      break;
  }
  static constexpr struct {
    const char* kind;
    Storage storage;
  } kKinds[] = {{"f8", Storage::kF64}, {"f4", Storage::kF32}, {"f2", Storage::kF16}, {"i8", Storage::kI64},
                {"i4", Storage::kI32}, {"i2", Storage::kI16}, {"i1", Storage::kI8},  {"u8", Storage::kU64},
                {"u4", Storage::kU32}, {"u2", Storage::kU16}, {"u1", Storage::kU8},  {"b1", Storage::kBool}};
  for (const auto& known : kKinds) {
    if (kind != known.kind) continue;
    header.storage = known.storage;
    const bool wide = size_of(known.storage) > 1;
    if (wide && (!has_order || descr[0] == '|')) damaged(where, "does not say the byte order of its values (" + descr + ")");
    header.byte_swap = wide && descr[0] == '>';
    return;
  }
  refuse_type(where, descr, "values of an unknown type");
}

// Length field and text of the header; the text's place in the file is its offset.
std::string_view header_text(std::string_view bytes, const std::string& where, int64_t& data_offset) {
  if (bytes.size() < 10 || bytes.substr(0, 6) != std::string_view("\x93NUMPY", 6))
    damaged(where, "is not an npy file (its first bytes are others)");
  const auto byte = [&](size_t i) { return static_cast<int64_t>(static_cast<unsigned char>(bytes[i])); };
  const int64_t major = byte(6);
  if (major < 1 || major > 3 || byte(7) != 0)
    damaged(where, "is an npy file of the unknown version " + std::to_string(major) + "." + std::to_string(byte(7)));
  const int64_t start = major == 1 ? 10 : 12;
  if (static_cast<int64_t>(bytes.size()) < start) damaged(where, "ends in its header");
  const int64_t length = major == 1 ? byte(8) + 256 * byte(9) : byte(8) + 256 * (byte(9) + 256 * (byte(10) + 256 * byte(11)));
  if (length > kMaxNpyHeader)
    damaged(where, "has a header of " + std::to_string(length) + " bytes, longer than any array of numbers needs");
  if (start + length > static_cast<int64_t>(bytes.size())) damaged(where, "ends in its header");
  data_offset = start + length;
  return bytes.substr(static_cast<size_t>(start), static_cast<size_t>(length));
}

}  // namespace

int64_t NpyHeader::cols() const {
  int64_t product = 1;
  for (size_t i = 1; i < shape.size(); ++i) product *= shape[i];
  return product;
}

int64_t NpyHeader::data_bytes() const {
  return rows() * cols() * static_cast<int64_t>(size_of(storage));
}

NpyHeader parse_npy_header(std::string_view bytes, const std::string& where) {
  NpyHeader header;
  const std::string_view text = header_text(bytes, where, header.data_offset);
  std::string descr;
  DictionaryParser(text, where).parse(header, descr);
  read_descr(descr, where, header);
  if (header.shape.empty())
    fail(ErrorCode::kBadInput, where, "holds a single number without dimensions", "save an array of rows and columns");
  // A zero among the dimensions must not hide an overflow of the others, so they are multiplied without it.
  int64_t product = static_cast<int64_t>(size_of(header.storage));
  for (const int64_t dimension : header.shape) product = dimension == 0 ? product : checked_product(product, dimension);
  if (product < 0) damaged(where, "says a shape of more than 2^63 bytes");
  return header;
}

std::string write_npy_header(std::string_view descr, int64_t rows, int64_t cols) {
  std::string text = "{'descr': '" + std::string(descr) + "', 'fortran_order': False, 'shape': (" + std::to_string(rows) + ",";
  if (cols >= 0) text += " " + std::to_string(cols);
  text += "), }";
  const size_t padded = (10 + text.size() + 1 + 63) / 64 * 64;
  text.append(padded - 10 - text.size() - 1, ' ');
  text += '\n';
  const auto length = static_cast<uint16_t>(text.size());
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(length & 0xff);
  header += static_cast<char>(length >> 8);
  return header + text;
}

}  // namespace sluice
