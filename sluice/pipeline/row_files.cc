#include "sluice/pipeline/row_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "sluice/core/error.h"
#include "sluice/pipeline/files.h"

namespace sluice {
namespace {

void write_labels(const Outcome& outcome, const Dataset& data, const std::string& folder, Context& ctx) {
  const RowColumn<int32_t>& labels = *outcome.labels;
  const NpyWriter file(folder + "/labels.npy", "<i4", data.rows->rows(), 0, ctx);
  on_each(ctx, [&] { file.write(labels.first_row(), labels.last_row() - labels.first_row(), labels.at(labels.first_row())); });
}

void write_embedding(const Outcome& outcome, const Dataset& data, const std::string& folder, Context& ctx) {
  const NpyWriter file(folder + "/embedding.npy", "<f8", data.rows->rows(), outcome.embedding_cols, ctx);
  std::vector<std::vector<double>> out(static_cast<size_t>(ctx.threads));
  const auto put = [&](int worker, const auto& leaf, const auto& embed) {
    std::vector<double>& values = out[static_cast<size_t>(worker)];
    values.resize(static_cast<size_t>(leaf.rows * outcome.embedding_cols));
    embed(leaf, values.data());
    file.write(leaf.first_row, leaf.rows, values.data());
  };
  if (data.rows->sparse() && outcome.embed_csr)
    return map_csr(*data.rows, ctx, [&](int worker, const CsrBlock& leaf) { put(worker, leaf, outcome.embed_csr); });
  map(*data.rows, ctx, [&](int worker, const MatrixBlock& leaf) { put(worker, leaf, outcome.embed); });
}

// A map that was made whole: every rank holds it, rank 0 writes it.
void write_map(const Matrix<double>& embedding, const std::string& folder, Context& ctx) {
  const NpyWriter file(folder + "/embedding.npy", "<f8", embedding.rows, embedding.cols, ctx);
  on_root(ctx, [&] { file.write(0, embedding.rows, embedding.values.data()); });
}

void write_array(const OutcomeArray& array, const Dataset& data, const std::string& folder, Context& ctx) {
  const NpyWriter file(folder + "/" + array.name + ".npy", array.type, data.rows->rows(), array.cols, ctx);
  on_each(ctx, [&] { file.write(array.first_row, array.rows, array.values.data()); });
}

void write_scores(const RowColumn<double>& scores, const Dataset& data, const std::string& folder, Context& ctx) {
  const NpyWriter file(folder + "/scores.npy", "<f8", data.rows->rows(), 0, ctx);
  on_each(ctx, [&] { file.write(scores.first_row(), scores.last_row() - scores.first_row(), scores.at(scores.first_row())); });
}

void append_number(std::string& out, double value) {
  char buffer[32];
  out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

// The lines of one leaf.
std::string assignment_lines(const Outcome& outcome, const Dataset& data, int64_t first, int64_t count, const int32_t* labels,
                             BlockBuffer& buffer) {
  std::vector<double> distances(static_cast<size_t>(count));
  distances_of(outcome, *data.rows, first, count, labels, distances.data(), buffer);
  std::string out;
  out.reserve(static_cast<size_t>(count) * 40);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t row = data.input_row(first + i);
    out += data.ids != nullptr ? csv_field(data.ids->at(row)) : std::to_string(row);
    out += ',';
    out += std::to_string(row);
    out += ',';
    out += std::to_string(labels[i]);
    out += ',';
    if (outcome.distances) append_number(out, distances[static_cast<size_t>(i)]);
    out += '\n';
  }
  return out;
}

// Rank 0, from the labels of all ranks: a window of leaves at a time, made in parallel and written in order.
void write_assignments(const Outcome& outcome, const Dataset& data, const std::string& path, const std::vector<int32_t>& labels,
                       Context& ctx) {
  Context alone = ctx;
  alone.comm = nullptr;
  const LeafRange all = leaf_range(data.rows->rows(), data.rows->cols(), alone);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "wb"), std::fclose);
  const auto put = [&](const std::string& text) {
    if (!file || std::fwrite(text.data(), 1, text.size(), file.get()) != text.size())
      fail(ErrorCode::kIo, path, "writing failed", "free some space, or use --assignments off");
  };
  put("id,row,cluster,distance\n");
  const int64_t window = 4 * ctx.threads;
  std::vector<BlockBuffer> buffers(static_cast<size_t>(ctx.threads));
  for (int64_t first = 0; first < all.leaves; first += window) {
    LeafRange part = all;
    part.first = first;
    part.last = std::min(all.leaves, first + window);
    std::vector<std::string> text(static_cast<size_t>(part.last - part.first));
    for_each_leaf(part, alone, [&](int worker, int64_t leaf) {
      const int64_t row = leaf * all.rows_per_leaf;
      text[static_cast<size_t>(leaf - first)] = assignment_lines(outcome, data, row, std::min(all.rows_per_leaf, all.rows - row),
                                                                 labels.data() + row, buffers[static_cast<size_t>(worker)]);
    });
    for (const std::string& lines : text) put(lines);
  }
  if (std::fflush(file.get()) != 0) fail(ErrorCode::kIo, path, "writing failed", "free some space, or use --assignments off");
}

}  // namespace

void write_kept_rows(const Dataset& data, const std::string& folder, Context& ctx) {
  if (data.kept.empty()) return;
  const NpyWriter file(folder + "/rows.npy", "<i8", static_cast<int64_t>(data.kept.size()), 0, ctx);
  on_root(ctx, [&] { file.write(0, static_cast<int64_t>(data.kept.size()), data.kept.data()); });
}

void distances_of(const Outcome& outcome, const Source& rows, int64_t first, int64_t count, const int32_t* labels, double* out,
                  BlockBuffer& buffer) {
  if (rows.sparse() && outcome.distances_csr) {
    outcome.distances_csr(rows.read_csr(first, count, buffer), labels, out);
  } else if (outcome.distances) {
    outcome.distances(rows.read(first, count, buffer), labels, out);
  }
}

std::vector<double> all_distances(const Outcome& outcome, const Source& rows, Context& ctx) {
  const LeafRange range = leaf_range(rows.rows(), rows.cols(), ctx);
  RowColumn<double> mine(range, 0.0);
  std::vector<BlockBuffer> buffers(static_cast<size_t>(ctx.threads));
  for_each_leaf(range, ctx, [&](int worker, int64_t leaf) {
    const int64_t first = leaf * range.rows_per_leaf;
    distances_of(outcome, rows, first, std::min(range.rows_per_leaf, range.rows - first), outcome.labels->at(first), mine.at(first),
                 buffers[static_cast<size_t>(worker)]);
  });
  return gather(mine, ctx);
}

void write_own_file(const OutcomeFile& own, const std::string& folder) {
  const std::string path = folder + "/" + own.name;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "wb"), std::fclose);
  const auto broken = [&] { fail(ErrorCode::kIo, path, "writing failed", "free some space on the disk"); };
  if (!file) broken();
  own.write([&](std::string_view text) {
    if (std::fwrite(text.data(), 1, text.size(), file.get()) != text.size()) broken();
  });
  if (std::fflush(file.get()) != 0) broken();
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos && (text.empty() || (text.front() != ' ' && text.back() != ' ')))
    return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string centers_csv(const Matrix<double>& centers, const Source& rows) {
  std::string out;
  for (int64_t j = 0; j < centers.cols; ++j) out += (j > 0 ? "," : "") + csv_field(rows.name_of(j));
  out += '\n';
  for (int64_t c = 0; c < centers.rows; ++c) {
    for (int64_t j = 0; j < centers.cols; ++j) {
      if (j > 0) out += ',';
      append_number(out, centers(c, j));
    }
    out += '\n';
  }
  return out;
}

std::vector<int32_t> all_labels(const Outcome& outcome, Context& ctx) {
  return gather(*outcome.labels, ctx);
}

void write_row_files(const Outcome& outcome, const Dataset& data, const std::string& folder, const std::string& assignments, Context& ctx) {
  write_kept_rows(data, folder, ctx);
  if (!outcome.embedding.empty()) {
    write_map(outcome.embedding, folder, ctx);
  } else if (outcome.embed) {
    write_embedding(outcome, data, folder, ctx);
  }
  if (outcome.scores) write_scores(*outcome.scores, data, folder, ctx);
  for (const OutcomeArray& array : outcome.arrays) write_array(array, data, folder, ctx);
  for (const OutcomeFile& own : outcome.files) on_root(ctx, [&] { write_own_file(own, folder); });
  if (!outcome.labels) return;
  write_labels(outcome, data, folder, ctx);
  if (!outcome.centers.empty()) on_root(ctx, [&] { write_file(folder + "/centers.csv", centers_csv(outcome.centers, *data.rows)); });
  if (assignments == "off") return;
  if (ctx.ranks() == 1) {
    write_assignments(outcome, data, folder + "/assignments.csv", all_labels(outcome, ctx), ctx);
  } else {
    const std::vector<int32_t> labels = all_labels(outcome, ctx);
    on_root(ctx, [&] { write_assignments(outcome, data, folder + "/assignments.csv", labels, ctx); });
  }
}

}  // namespace sluice
