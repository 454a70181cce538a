#include "sluice/io/arrow_plugin/batches.h"

#include <arrow/buffer.h>
#include <arrow/ipc/options.h>
#include <arrow/ipc/reader.h>
#include <arrow/type.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>

#include <algorithm>
#include <string_view>

namespace sluice {
namespace {

using arrow::Result;
using arrow::Status;
using File = std::shared_ptr<arrow::io::RandomAccessFile>;

// The plain file reader, one thread, no read-ahead: the dataset scanner and pre-buffering hold 5 to 25 times as much.
class ParquetBatches final : public Batches {
 public:
  ParquetBatches(File file, arrow::MemoryPool* pool) : file_(std::move(file)), pool_(pool) {}

  Status open(int64_t rows) {
    ARROW_ASSIGN_OR_RAISE(const int64_t size, file_->GetSize());
    parquet::ReaderProperties low(pool_);
    low.enable_buffered_stream();
    low.set_page_checksum_verification(true);
    // Nothing the footer counts can be more than the file has bytes.
    low.set_thrift_string_size_limit(static_cast<int32_t>(std::clamp<int64_t>(size, 1, 100'000'000)));
    low.set_thrift_container_size_limit(static_cast<int32_t>(std::clamp<int64_t>(size, 1, 1'000'000)));
    parquet::ArrowReaderProperties high;
    high.set_use_threads(false);
    high.set_pre_buffer(false);
    high.set_batch_size(rows);
    parquet::arrow::FileReaderBuilder builder;
    ARROW_RETURN_NOT_OK(builder.Open(file_, low));
    builder.memory_pool(pool_)->properties(high);
    batches_.reset();
    ARROW_ASSIGN_OR_RAISE(reader_, builder.Build());
    return reader_->GetSchema(&schema_);
  }

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  Status begin(const std::vector<int>& columns, int64_t rows) override {
    ARROW_RETURN_NOT_OK(open(rows));
    const auto& fields = reader_->manifest().schema_fields;
    std::vector<int> leaves;
    for (const int column : columns) {
      if (static_cast<size_t>(column) >= fields.size()) return Status::Invalid("the schema names more columns than there are");
      add_leaves(fields[static_cast<size_t>(column)], leaves);
    }
    std::vector<int> groups(static_cast<size_t>(reader_->num_row_groups()));
    for (size_t i = 0; i < groups.size(); ++i) groups[i] = static_cast<int>(i);
    left_ = reader_->parquet_reader()->metadata()->num_rows();
    ARROW_ASSIGN_OR_RAISE(batches_, reader_->GetRecordBatchReader(groups, leaves));
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::RecordBatch>> next() override {
    std::shared_ptr<arrow::RecordBatch> batch;
    ARROW_RETURN_NOT_OK(batches_->ReadNext(&batch));
    left_ -= batch == nullptr ? 0 : batch->num_rows();
    if (left_ < 0 || (batch == nullptr && left_ != 0)) return Status::Invalid("the file does not hold as many rows as its footer says");
    return batch;
  }

 private:
  static void add_leaves(const parquet::arrow::SchemaField& field, std::vector<int>& leaves) {
    if (field.is_leaf()) leaves.push_back(field.column_index);
    for (const auto& child : field.children) add_leaves(child, leaves);
  }
  File file_;
  arrow::MemoryPool* pool_;
  std::unique_ptr<parquet::arrow::FileReader> reader_;
  std::unique_ptr<arrow::RecordBatchReader> batches_;
  std::shared_ptr<arrow::Schema> schema_;
  int64_t left_ = 0;
};

arrow::ipc::IpcReadOptions ipc_options(arrow::MemoryPool* pool, const std::vector<int>& columns) {
  auto options = arrow::ipc::IpcReadOptions::Defaults();
  options.memory_pool = pool;
  options.use_threads = false;
  options.included_fields = columns;
  return options;
}

class ArrowFileBatches final : public Batches {
 public:
  ArrowFileBatches(File file, arrow::MemoryPool* pool) : file_(std::move(file)), pool_(pool) {}

  Status open() {
    ARROW_ASSIGN_OR_RAISE(reader_, arrow::ipc::RecordBatchFileReader::Open(file_, ipc_options(pool_, {})));
    schema_ = reader_->schema();
    return Status::OK();
  }
  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  Status begin(const std::vector<int>& columns, int64_t) override {
    next_ = 0;
    ARROW_ASSIGN_OR_RAISE(reader_, arrow::ipc::RecordBatchFileReader::Open(file_, ipc_options(pool_, columns)));
    return Status::OK();
  }
  Result<std::shared_ptr<arrow::RecordBatch>> next() override {
    if (next_ == reader_->num_record_batches()) return nullptr;
    return reader_->ReadRecordBatch(next_++);
  }

 private:
  File file_;
  arrow::MemoryPool* pool_;
  std::shared_ptr<arrow::ipc::RecordBatchFileReader> reader_;
  std::shared_ptr<arrow::Schema> schema_;
  int next_ = 0;
};

class ArrowStreamBatches final : public Batches {
 public:
  ArrowStreamBatches(File file, arrow::MemoryPool* pool) : file_(std::move(file)), pool_(pool) {}

  Status open() {
    ARROW_RETURN_NOT_OK(begin({}, 0));
    schema_ = reader_->schema();
    return Status::OK();
  }
  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  Status begin(const std::vector<int>& columns, int64_t) override {
    ARROW_RETURN_NOT_OK(file_->Seek(0));
    ARROW_ASSIGN_OR_RAISE(reader_, arrow::ipc::RecordBatchStreamReader::Open(file_.get(), ipc_options(pool_, columns)));
    return Status::OK();
  }
  Result<std::shared_ptr<arrow::RecordBatch>> next() override {
    std::shared_ptr<arrow::RecordBatch> batch;
    ARROW_RETURN_NOT_OK(reader_->ReadNext(&batch));
    if (batch == nullptr) ARROW_RETURN_NOT_OK(expect_end_mark());
    return batch;
  }

 private:
  // Arrow takes the end of the file for the end of the stream; then a file cut between two batches would pass for a whole one.
  Status expect_end_mark() const {
    ARROW_ASSIGN_OR_RAISE(const int64_t size, file_->GetSize());
    ARROW_ASSIGN_OR_RAISE(const int64_t place, file_->Tell());
    if (place != size || size < 8) return Status::Invalid("bytes follow the end of the stream");
    ARROW_ASSIGN_OR_RAISE(const auto end, file_->ReadAt(size - 8, 8));
    const std::string_view mark("\xff\xff\xff\xff\0\0\0\0", 8);
    if (std::string_view(*end) == mark) return Status::OK();
    return Status::Invalid("the stream has no end mark: it was cut");
  }
  File file_;
  arrow::MemoryPool* pool_;
  std::shared_ptr<arrow::ipc::RecordBatchStreamReader> reader_;
  std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace

Result<std::unique_ptr<Batches>> open_batches(File file, arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(const auto start, file->ReadAt(0, 8));
  const std::string_view magic(*start);
  if (magic.starts_with("PAR1")) {
    auto batches = std::make_unique<ParquetBatches>(file, pool);
    ARROW_RETURN_NOT_OK(batches->open(1024));
    return batches;
  }
  if (magic.starts_with("PARE")) return Status::Invalid("it is an encrypted Parquet file");
  if (magic.starts_with("FEA1")) return Status::Invalid("it is a Feather file of version 1, which no longer has readers");
  if (magic.starts_with("ARROW1")) {
    auto batches = std::make_unique<ArrowFileBatches>(file, pool);
    ARROW_RETURN_NOT_OK(batches->open());
    return batches;
  }
  if (!magic.starts_with("\xff\xff\xff\xff")) return Status::Invalid("it does not begin as a Parquet or Arrow file does");
  auto batches = std::make_unique<ArrowStreamBatches>(file, pool);
  ARROW_RETURN_NOT_OK(batches->open());
  return batches;
}

}  // namespace sluice
