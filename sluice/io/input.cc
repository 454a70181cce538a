#include "sluice/io/input.h"

#include <algorithm>
#include <filesystem>

#include "sluice/core/error.h"
#include "sluice/io/arrow_reader.h"
#include "sluice/io/csv.h"
#include "sluice/io/format.h"
#include "sluice/io/idx.h"
#include "sluice/io/images.h"
#include "sluice/io/jsonl.h"
#include "sluice/io/npy.h"
#include "sluice/io/npz.h"
#include "sluice/io/views.h"

namespace sluice {
namespace {

struct NamedFile {
  std::string path;
  Format format;
};

[[noreturn]] void refuse(const std::string& path, const std::string& what, const std::string& remedy) {
  fail(ErrorCode::kUsage, path, what, remedy);
}

void require_readable(const NamedFile& file) {
  switch (file.format) {
    case Format::kBaskets:
      refuse(file.path, "item baskets are not a table", "mine them with apriori, eclat or fpgrowth");
    case Format::kText:
      refuse(file.path, "reading text files is not there yet", "give a CSV with a text column and --text COLUMN");
    case Format::kAudio:
      refuse(file.path, "reading audio is not there yet", "give a table of features");
    case Format::kUnknown:
      refuse(file.path, "its name says no known format", "say it with --format csv, tsv, jsonl, npy, npz, idx, parquet or images");
    default:
      break;
  }
  const bool streamed =
      file.format == Format::kCsv || file.format == Format::kTsv || file.format == Format::kJsonl || file.format == Format::kIdx;
  if (!streamed && compression_of(file.path) != Compression::kNone)
    refuse(file.path, "this format is not read from .gz or .zst", "decompress the file first");
}

std::vector<NamedFile> named_files(const std::vector<std::string>& inputs, const ReadOptions& options) {
  std::vector<NamedFile> files;
  for (const std::string& path : expand_inputs(inputs)) {
    const Format by_name = path == "-" ? Format::kCsv : format_of_name(path);
    files.push_back({path, options.format.empty() ? by_name : format_of_word(options.format)});
  }
  return files;
}

std::vector<std::string> paths_of(const std::vector<NamedFile>& files) {
  std::vector<std::string> paths;
  for (const NamedFile& file : files) paths.push_back(file.path);
  return paths;
}

// Other files may lie in a folder of pictures, but not be named beside them.
Table read_pictures(const std::vector<NamedFile>& files, const std::vector<std::string>& inputs, const ReadOptions& options,
                    const StoreOptions& store) {
  std::vector<std::string> pictures;
  std::vector<std::string> others;
  for (const NamedFile& file : files) (file.format == Format::kImages ? pictures : others).push_back(file.path);
  for (const std::string& other : others) {
    if (std::find(inputs.begin(), inputs.end(), other) != inputs.end())
      refuse(other, "is not a picture as the other inputs are", "read pictures alone");
  }
  Table table = read_images(pictures, options, store);
  for (const std::string& other : others) table.rejected.push_back({std::filesystem::path(other).filename().string(), "is not a picture"});
  return table;
}

std::vector<TextFile> text_files(const std::vector<NamedFile>& files, const StoreOptions& store) {
  std::vector<TextFile> texts;
  for (const NamedFile& file : files) texts.push_back({open_file(file.path, store), compression_of(file.path)});
  return texts;
}

Table read_one(const NamedFile& file, const ReadOptions& options, const StoreOptions& store) {
  switch (file.format) {
    case Format::kNpy:
      return read_npy(open_file(file.path, store), store);
    case Format::kNpz:
      return read_npz(open_file(file.path, store), options.array, store);
    case Format::kIdx:
      return read_idx(open_file(file.path, store), compression_of(file.path), store);
    default:
      return read_arrow(file.path, options, store);
  }
}

}  // namespace

Table read_table(const std::vector<std::string>& inputs, const ReadOptions& options, const StoreOptions& store, Context& ctx) {
  if (inputs.empty()) refuse("input", "no input is given", "name a file, a folder, or - for standard input");
  const std::vector<NamedFile> files = named_files(inputs, options);
  const auto is = [](Format format) { return [format](const NamedFile& file) { return file.format == format; }; };
  if (std::any_of(files.begin(), files.end(), is(Format::kImages))) return read_pictures(files, inputs, options, store);
  for (const NamedFile& file : files) require_readable(file);
  const Format first = files[0].format;
  if (std::all_of(files.begin(), files.end(), is(first))) {
    if (first == Format::kCsv) return read_csv(text_files(files, store), {',', options.header, options.encoding}, store, ctx);
    if (first == Format::kTsv) return read_csv(text_files(files, store), {'\t', options.header, options.encoding}, store, ctx);
    if (first == Format::kJsonl) return read_jsonl(text_files(files, store), options.encoding, store, ctx);
  }
  std::vector<Table> parts;
  for (const NamedFile& file : files) {
    if (file.format == Format::kCsv || file.format == Format::kTsv || file.format == Format::kJsonl) {
      parts.push_back(read_table({file.path}, options, store, ctx));
    } else {
      parts.push_back(read_one(file, options, store));
    }
  }
  return stack_tables(std::move(parts), paths_of(files), store.memory);
}

}  // namespace sluice
