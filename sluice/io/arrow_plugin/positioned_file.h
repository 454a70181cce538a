// A file for Arrow that is read where it is asked, by the thread that asks. Arrow's own hands reads to threads of its own, which may
// outlive the reader they serve; and it takes memory for as many bytes as it is asked, before it knows whether the file holds them.
#pragma once
#include <arrow/io/interfaces.h>
#include <arrow/memory_pool.h>
#include <arrow/result.h>

#include <memory>

namespace sluice {

// Takes the descriptor over. `pool` must live until every buffer read from the file is gone.
arrow::Result<std::shared_ptr<arrow::io::RandomAccessFile>> open_positioned(int fd, arrow::MemoryPool* pool);

}  // namespace sluice
