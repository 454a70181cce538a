#include "sluice/core/memory.h"

#include <gtest/gtest.h>

#include "sluice/core/error.h"

namespace sluice {
namespace {

// Rows that lie somewhere else.
class Elsewhere final : public Source {
 public:
  int64_t rows() const override { return 1024; }
  int64_t cols() const override { return 1024; }
  DType dtype() const override { return DType::kF64; }
  MatrixBlock read(int64_t, int64_t, BlockBuffer&) const override { return {}; }
};

constexpr int64_t kMiB = int64_t{1} << 20;

TEST(MemoryLeft, IsWhatProgramAndRowsLeave) {
  const MemorySource rows(std::vector<double>(8 * 1024 * 1024 / 8), 1024 * 1024, 1);  // 8 MiB
  Context ctx;
  ctx.memory = 100 * kMiB;
  EXPECT_EQ(memory_left(rows, ctx), 68 * kMiB);
  EXPECT_EQ(memory_left(Elsewhere(), ctx), 76 * kMiB);
  ctx.memory = 16 * kMiB;  // never nothing
  EXPECT_EQ(memory_left(rows, ctx), 4 * kMiB);
}

TEST(MemoryLeft, MoreIsRefusedWithItsBytes) {
  const MemorySource rows(std::vector<double>(4), 4, 1);
  Context ctx;
  ctx.memory = 100 * kMiB;
  require_left("who", "what", 75e6, rows, ctx, "do something");
  try {
    require_left("who", "what", 80e6, rows, ctx, "do something");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code, ErrorCode::kMemory);
    EXPECT_NE(error.message.find("80000000"), std::string::npos) << error.message;
  }
}

}  // namespace
}  // namespace sluice
