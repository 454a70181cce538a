#include "sluice/io/labels.h"

#include <algorithm>
#include <charconv>

#include "sluice/core/error.h"
#include "sluice/io/cell.h"
#include "sluice/io/dense.h"
#include "sluice/io/encoding.h"
#include "sluice/io/format.h"
#include "sluice/io/idx.h"
#include "sluice/io/line_reader.h"
#include "sluice/io/npy.h"

namespace sluice {
namespace {

constexpr int64_t kStep = int64_t{1} << 16;

[[noreturn]] void refuse(const std::string& where, const std::string& why) {
  fail(ErrorCode::kBadInput, where, why, "give one whole number or word a row");
}

std::vector<int64_t> whole_numbers(const Table& table, const std::string& where) {
  if (table.columns.size() != 1) refuse(where, "holds " + std::to_string(table.columns.size()) + " columns, not labels");
  std::vector<int64_t> values;
  values.reserve(static_cast<size_t>(table.rows));
  BlockBuffer buffer;
  for (int64_t at = 0; at < table.rows; at += kStep) {
    const MatrixBlock block = table.numbers->read(at, std::min(kStep, table.rows - at), buffer);
    for (int64_t i = 0; i < block.rows; ++i) {
      double scratch;
      const double value = *block.row(i, &scratch);
      if (!is_int64(value)) refuse(where + ": row " + std::to_string(at + i), "holds a label that is not a whole number");
      values.push_back(static_cast<int64_t>(value));
    }
  }
  return values;
}

// 64-bit integers keep their exact value, which as features they could not.
LabelFile from_npy(const std::shared_ptr<File>& file) {
  const NpyHeader header = read_npy_header(*file, 0, file->size());
  if (header.storage != Storage::kI64 && header.storage != Storage::kU64) return {whole_numbers(read_npy(file, {}), file->where()), {}};
  require_shape(file->where(), header.rows(), header.cols());
  if (header.cols() != 1) refuse(file->where(), "holds " + std::to_string(header.cols()) + " columns, not labels");
  LabelFile labels;
  labels.values.resize(static_cast<size_t>(header.rows()));
  file->read_exact(header.data_offset, labels.values.data(), labels.values.size() * 8);
  for (int64_t& value : labels.values) {
    if (header.byte_swap) value = static_cast<int64_t>(__builtin_bswap64(static_cast<uint64_t>(value)));
    if (header.storage == Storage::kU64 && value < 0) refuse(file->where(), "holds a label past 2^63");
  }
  return labels;
}

bool parse_int(std::string_view text, int64_t& value) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && stop == text.data() + text.size();
}

std::vector<std::string> read_lines(const TextFile& text) {
  std::vector<std::string> lines;
  LineReader reader(open_text(text, ""), text.file->where());
  std::string_view line;
  std::string empty_at;
  while (reader.next(line)) {
    while (!line.empty() && (line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
    while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
    if (!empty_at.empty()) refuse(empty_at, "is an empty line");  // empty lines at the very end are none
    if (line.empty()) {
      empty_at = reader.where();
      continue;
    }
    if (!valid_utf8(line) || line.find('\0') != std::string_view::npos) fail_utf8(reader.where());
    lines.emplace_back(line);
  }
  if (lines.empty()) refuse(text.file->where(), "holds no labels");
  return lines;
}

LabelFile from_text(const TextFile& text) {
  std::vector<std::string> lines = read_lines(text);
  LabelFile labels;
  labels.values.resize(lines.size());
  bool numbers = true;
  for (size_t i = 0; i < lines.size() && numbers; ++i) numbers = parse_int(lines[i], labels.values[i]);
  if (numbers) return labels;
  labels.names = lines;
  std::sort(labels.names.begin(), labels.names.end());
  labels.names.erase(std::unique(labels.names.begin(), labels.names.end()), labels.names.end());
  for (size_t i = 0; i < lines.size(); ++i) {
    labels.values[i] = std::lower_bound(labels.names.begin(), labels.names.end(), lines[i]) - labels.names.begin();
  }
  return labels;
}

}  // namespace

LabelFile read_labels(const std::string& path) {
  const std::shared_ptr<File> file = open_file(path, {});
  const Compression compression = compression_of(path);
  switch (format_of_name(path)) {
    case Format::kNpy:
      return from_npy(file);
    case Format::kIdx:
      return {whole_numbers(read_idx(file, compression, {}), path), {}};
    default:
      return from_text({file, compression});
  }
}

}  // namespace sluice
