// Parquet and Arrow files behind the table of arrow_table.h. Every status and every exception becomes a failure with an exit code.
#include <arrow/array.h>
#include <arrow/io/interfaces.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>
#include <sys/stat.h>

#include <algorithm>
#include <exception>
#include <new>
#include <stdexcept>

#include "sluice/io/arrow_plugin/arrow_table.h"
#include "sluice/io/arrow_plugin/batches.h"
#include "sluice/io/arrow_plugin/cells.h"
#include "sluice/io/arrow_plugin/positioned_file.h"

namespace sluice {
namespace {

constexpr int32_t kBadInput = 3;
constexpr int32_t kMemory = 5;
constexpr int64_t kMaxWidth = int64_t{1} << 24;      // numbers in a row
constexpr int64_t kValuesAtOnce = int64_t{1} << 20;  // what next() gives: 8 MiB
constexpr int64_t kRowsAtOnce = 8192;

struct Failure {
  int32_t code = 0;
  std::string text;
};

Failure& open_failure() {
  static thread_local Failure failure;
  return failure;
}

struct ReadColumn {
  std::string name;
  std::string type;
  ArrowKind kind;
  int64_t width;  // 0: no list
};

struct ArrowInput {
  std::unique_ptr<arrow::CappedMemoryPool> pool;
  std::unique_ptr<Batches> batches;
  std::vector<ReadColumn> columns;
  std::vector<int64_t> numbers;  // chosen columns, and their places in a batch
  std::vector<int64_t> texts;
  std::vector<int> number_places;
  std::vector<int> text_places;
  int64_t width = 0;  // numbers in a row
  int64_t at_once = 1;
  int64_t row = 0;  // rows given so far
  std::shared_ptr<arrow::RecordBatch> batch;
  int64_t batch_done = 0;
  std::vector<double> values;
  Failure failure;
};

// Turns whatever `body` throws, and a status that is not OK, into a failure.
template <class Body>
bool guarded(Failure& failure, const Body& body) {
  try {
    const arrow::Status status = body();
    if (status.ok()) return true;
    const bool memory = status.IsOutOfMemory() || status.IsCapacityError();
    failure = {memory ? kMemory : kBadInput,
               memory ? "what has to be read of it at a time needs more memory than it may take" : status.message()};
  } catch (const std::bad_alloc&) {
    failure = {kMemory, "what has to be read of it at a time needs more memory than there is"};
  } catch (const std::length_error&) {
    failure = {kBadInput, "it says that a part of it is larger than can be"};
  } catch (const std::exception& error) {
    failure = {kBadInput, error.what()};
  } catch (...) {
    failure = {kBadInput, "it can't be read"};
  }
  std::replace_if(failure.text.begin(), failure.text.end(), [](unsigned char c) { return c < ' '; }, ' ');
  return false;
}

// Loads the next batch that has rows, checked from end to end, since what Arrow hands out trusts the file.
arrow::Status load_batch(ArrowInput& in) {
  for (in.batch_done = 0;;) {
    in.batch.reset();
    ARROW_ASSIGN_OR_RAISE(in.batch, in.batches->next());
    if (in.batch == nullptr) return arrow::Status::OK();
    ARROW_RETURN_NOT_OK(in.batch->ValidateFull());
    if (in.batch->num_rows() > 0) return arrow::Status::OK();
  }
}

// How many numbers the cells of list columns hold is what their first cell says, never the schema alone.
arrow::Status measure_list(ArrowInput& in, int column) {
  ARROW_RETURN_NOT_OK(in.batches->begin({column}, 256));
  ReadColumn& info = in.columns[static_cast<size_t>(column)];
  info.width = 0;
  while (info.width == 0) {
    ARROW_RETURN_NOT_OK(load_batch(in));
    if (in.batch == nullptr) return arrow::Status::Invalid("the list column '" + info.name + "' holds no values");
    info.width = list_width(*in.batch->column(0));
  }
  if (info.width > kMaxWidth) return arrow::Status::Invalid("the lists of column '" + info.name + "' are longer than 2^24");
  in.batch.reset();
  return arrow::Status::OK();
}

// Whatever the file claims, what it holds unpacked at a time is not more than so many times its size.
int64_t believed_memory(int fd, int64_t memory) {
  struct stat info{};
  if (::fstat(fd, &info) != 0 || info.st_size > (int64_t{1} << 52)) return memory;
  return std::min(memory, (int64_t{1} << 28) + 256 * int64_t{info.st_size});
}

arrow::Status open_file(ArrowInput& in, int fd, int64_t memory) {
  in.pool = std::make_unique<arrow::CappedMemoryPool>(arrow::default_memory_pool(), believed_memory(fd, memory));
  ARROW_ASSIGN_OR_RAISE(auto file, open_positioned(fd, in.pool.get()));
  ARROW_ASSIGN_OR_RAISE(in.batches, open_batches(std::move(file), in.pool.get()));
  const auto schema = in.batches->schema();
  for (int i = 0; i < schema->num_fields(); ++i) {
    const auto& field = *schema->field(i);
    bool list = false;
    const ArrowKind kind = kind_of(*field.type(), &list);
    in.columns.push_back({field.name(), field.type()->ToString(), kind, list ? 1 : 0});
    if (list && kind != ArrowKind::kOther) ARROW_RETURN_NOT_OK(measure_list(in, i));
  }
  return arrow::Status::OK();
}

arrow::Status begin_reading(ArrowInput& in, std::vector<int64_t> numbers, std::vector<int64_t> texts) {
  in.numbers = std::move(numbers);
  in.texts = std::move(texts);
  std::vector<int64_t> all = in.numbers;
  all.insert(all.end(), in.texts.begin(), in.texts.end());
  std::sort(all.begin(), all.end());
  if (all.empty()) return arrow::Status::Invalid("no columns are chosen");
  const auto places = [&all](const std::vector<int64_t>& columns) {
    std::vector<int> found;
    for (const int64_t c : columns) found.push_back(static_cast<int>(std::lower_bound(all.begin(), all.end(), c) - all.begin()));
    return found;
  };
  in.number_places = places(in.numbers);
  in.text_places = places(in.texts);
  in.width = 0;
  for (const int64_t c : in.numbers) in.width += std::max<int64_t>(1, in.columns[static_cast<size_t>(c)].width);
  if (in.width > kMaxWidth) return arrow::Status::Invalid("it has more than 2^24 numbers in a row");
  in.at_once = std::clamp<int64_t>(kValuesAtOnce / std::max<int64_t>(1, in.width), 1, kRowsAtOnce);
  in.row = 0;
  in.batch.reset();
  in.batch_done = 0;
  return in.batches->begin({all.begin(), all.end()}, in.at_once);
}

// Rows [batch_done, batch_done + count) of the batch: texts by calls, numbers into `values`.
arrow::Status give_rows(ArrowInput& in, int64_t count, const ArrowCalls& calls, bool* stopped) {
  std::string scratch;
  for (size_t k = 0; k < in.texts.size(); ++k) {
    const auto& array = *in.batch->column(in.text_places[k]);
    for (int64_t i = 0; i < count; ++i) {
      const auto text = text_at(array, in.batch_done + i, scratch);
      const int stop = text ? calls.text(calls.context, in.texts[k], text->data(), static_cast<int64_t>(text->size()))
                            : calls.text(calls.context, in.texts[k], nullptr, -1);
      if (stop != 0) {
        *stopped = true;
        return arrow::Status::OK();
      }
    }
  }
  in.values.resize(static_cast<size_t>(count * in.width));
  double* out = in.values.data();
  for (size_t k = 0; k < in.numbers.size(); ++k) {
    const ReadColumn& column = in.columns[static_cast<size_t>(in.numbers[k])];
    const int64_t width = std::max<int64_t>(1, column.width);
    bool beyond = false;
    const auto why = fill_numbers(*in.batch->column(in.number_places[k]), in.batch_done, count, width, out, in.width, in.row, &beyond);
    if (why) return arrow::Status::Invalid("column '" + column.name + "', " + *why);
    if (beyond) calls.beyond(calls.context, in.numbers[k]);
    out += width;
  }
  return arrow::Status::OK();
}

ArrowInput& as_input(void* file) {
  return *static_cast<ArrowInput*>(file);
}

void* open(int fd, int64_t memory) {
  auto input = std::unique_ptr<ArrowInput>();
  const bool done = guarded(open_failure(), [&] {
    input = std::make_unique<ArrowInput>();
    return open_file(*input, fd, memory);
  });
  return done ? input.release() : nullptr;
}

int64_t columns(void* file) {
  return static_cast<int64_t>(as_input(file).columns.size());
}

void column(void* file, int64_t number, ArrowColumn* to) {
  const ReadColumn& c = as_input(file).columns[static_cast<size_t>(number)];
  *to = {c.name.c_str(), c.type.c_str(), c.kind, c.width};
}

int begin(void* file, const int64_t* numbers, int64_t number_count, const int64_t* texts, int64_t text_count) {
  ArrowInput& in = as_input(file);
  return guarded(in.failure, [&] { return begin_reading(in, {numbers, numbers + number_count}, {texts, texts + text_count}); }) ? 0 : 1;
}

int64_t next(void* file, const ArrowCalls* calls, const double** numbers) {
  ArrowInput& in = as_input(file);
  int64_t count = 0;
  bool stopped = false;
  const bool done = guarded(in.failure, [&]() -> arrow::Status {
    if (in.batch == nullptr || in.batch_done == in.batch->num_rows()) ARROW_RETURN_NOT_OK(load_batch(in));
    if (in.batch == nullptr) return arrow::Status::OK();
    count = std::min(in.at_once, in.batch->num_rows() - in.batch_done);
    ARROW_RETURN_NOT_OK(give_rows(in, count, *calls, &stopped));
    in.batch_done += count;
    in.row += count;
    return arrow::Status::OK();
  });
  if (stopped) in.failure = {0, "stopped"};
  *numbers = in.values.data();
  return done && !stopped ? count : -1;
}

void close(void* file) {
  ArrowInput* in = &as_input(file);
  in->batch.reset();
  in->batches.reset();
  delete in;
}

int32_t failure(void* file, const char** text) {
  const Failure& failure = file == nullptr ? open_failure() : as_input(file).failure;
  *text = failure.text.c_str();
  return failure.code;
}

constexpr ArrowTable kTable = {ArrowTable::kVersion, open, columns, column, begin, next, close, failure};

}  // namespace
}  // namespace sluice

extern "C" __attribute__((visibility("default"))) const void* sluice_plugin_arrow() {
  return &sluice::kTable;
}
