// The three kinds of file (Parquet, Arrow file, Arrow stream) as one run of record batches, each with a bound on what it holds.
#pragma once
#include <arrow/io/interfaces.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <memory>
#include <vector>

namespace sluice {

class Batches {
 public:
  virtual ~Batches() = default;
  virtual std::shared_ptr<arrow::Schema> schema() const = 0;
  // From the first row on, with these top-level columns (ascending), in batches of about `rows` where the format lets us choose.
  virtual arrow::Status begin(const std::vector<int>& columns, int64_t rows) = 0;
  // Null at the end. A file that ends before it says so is an error.
  virtual arrow::Result<std::shared_ptr<arrow::RecordBatch>> next() = 0;
};

arrow::Result<std::unique_ptr<Batches>> open_batches(std::shared_ptr<arrow::io::RandomAccessFile> file, arrow::MemoryPool* pool);

}  // namespace sluice
