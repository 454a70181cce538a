#include "sluice/pipeline/share_table.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "sluice/pipeline/files.h"

namespace sluice {
namespace {

// The rows' place on the disk, if all ranks can read them there.
std::optional<FileSource::Place> place_of(const Source& source) {
  const auto* file = dynamic_cast<const FileSource*>(&source);
  return file == nullptr ? std::nullopt : file->place();
}

Storage storage_of(DType dtype) {
  return dtype == DType::kF32 ? Storage::kF32 : Storage::kF64;
}

// All rows of `source`, one after the other, as they are delivered.
void write_rows(const Source& source, const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0)
    fail(ErrorCode::kIo, path, std::string("the spool file can't be made: ") + std::strerror(errno), "name another folder with --spool");
  BlockBuffer buffer;
  const size_t row_bytes = static_cast<size_t>(source.cols()) * size_of(source.dtype());
  const int64_t step = std::max<int64_t>(1, static_cast<int64_t>((size_t{4} << 20) / std::max<size_t>(1, row_bytes)));
  for (int64_t at = 0; at < source.rows(); at += step) {
    const MatrixBlock block = source.read(at, std::min(step, source.rows() - at), buffer);
    for (int64_t i = 0; i < block.rows; ++i) {
      const auto* from = static_cast<const char*>(block.slice(i, 1).data);
      for (size_t done = 0; done < row_bytes;) {
        const ssize_t put = ::write(fd, from + done, row_bytes - done);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) {
          ::close(fd);
          fail(ErrorCode::kIo, path, std::string("writing the spool failed: ") + std::strerror(errno),
               "free some space or name another folder with --spool");
        }
        done += static_cast<size_t>(put);
      }
    }
  }
  ::close(fd);
}

void save_text(const TextColumn& column, ByteWriter& out) {
  for (int64_t i = 0; i < column.rows(); ++i) {
    out.put(column.missing(i));
    out.put_text(column.at(i));
  }
}

std::shared_ptr<TextColumn> load_text(int64_t rows, ByteReader& in) {
  auto column = std::make_shared<TextColumn>();
  for (int64_t i = 0; i < rows; ++i) {
    const bool missing = in.get<bool>();
    const std::string text = in.get_text();
    missing ? column->append_missing() : column->append(text);
  }
  return column;
}

Bytes pack(const Table& table, const FileSource::Place& place) {
  ByteWriter out;
  out.put(table.rows);
  out.put<uint64_t>(table.rejected.size());
  for (const Rejected& one : table.rejected) {
    out.put_text(one.name);
    out.put_text(one.why);
  }
  out.put<uint64_t>(table.columns.size());
  for (const TableColumn& column : table.columns) {
    out.put_text(column.name);
    out.put(column.type);
    out.put(column.index);
    out.put(column.beyond_double);
  }
  out.put_text(place.path);
  if (table.numbers != nullptr) {
    out.put(place.storage);
    out.put(place.byte_swap);
    out.put(place.offset);
    out.put(table.numbers->cols());
    for (int64_t j = 0; j < table.numbers->cols(); ++j) out.put_text(table.numbers->name_of(j));
  }
  out.put<uint64_t>(table.texts.size());
  for (const auto& text : table.texts) save_text(*text, out);
  return out.take();
}

Table unpack(const Bytes& bytes) {
  ByteReader in(bytes, "rank 0's table");
  Table table;
  table.rows = in.get<int64_t>();
  for (auto left = in.get<uint64_t>(); left > 0; --left) {
    std::string name = in.get_text();
    table.rejected.push_back({std::move(name), in.get_text()});
  }
  for (auto left = in.get<uint64_t>(); left > 0; --left) {
    TableColumn column;
    column.name = in.get_text();
    column.type = in.get<ColumnType>();
    column.index = in.get<int64_t>();
    column.beyond_double = in.get<bool>();
    table.columns.push_back(std::move(column));
  }
  if (const std::string path = in.get_text(); !path.empty()) {
    const auto storage = in.get<Storage>();
    const auto byte_swap = in.get<bool>();
    const auto offset = in.get<int64_t>();
    const auto cols = in.get<int64_t>();
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
      fail(ErrorCode::kIo, path, std::string("rank 0's spool can't be opened here: ") + std::strerror(errno),
           "the ranks must share a file system: name a shared folder with --spool");
    table.numbers = std::make_shared<FileSource>(fd, path, storage, byte_swap, offset, table.rows, cols);
    for (int64_t j = 0; j < cols; ++j) table.numbers->names.push_back(in.get_text());
  }
  for (auto left = in.get<uint64_t>(); left > 0; --left) table.texts.push_back(load_text(table.rows, in));
  in.expect_end();
  return table;
}

}  // namespace

Table share_table(const std::function<Table()>& read, Context& ctx) {
  if (ctx.ranks() == 1) return read();
  Table own;  // rank 0's: a spool of its own goes with it, so it lives until all ranks have that open
  Table table;
  Bytes message;
  std::string spool;
  on_root(ctx, [&] {
    own = read();
    FileSource::Place place;
    if (own.numbers != nullptr) {
      if (const auto there = place_of(*own.numbers)) {
        place = *there;
      } else {
        spool = new_spool_path(ctx.spool_dir);
        write_rows(*own.numbers, spool);
        place = {spool, storage_of(own.numbers->dtype()), false, 0};
      }
    }
    message = pack(own, place);
  });
  ctx.comm->broadcast(message, 0);
  on_each(ctx, [&] { table = unpack(message); });
  on_root(ctx, [&] {
    if (!spool.empty()) ::unlink(spool.c_str());  // all have it open
  });
  return table;
}

}  // namespace sluice
