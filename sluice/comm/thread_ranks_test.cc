#include "sluice/comm/thread_ranks.h"

#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <string>

#include "sluice/core/error.h"

namespace sluice {
namespace {

Bytes bytes_of(const std::string& text) {
  const auto* p = reinterpret_cast<const std::byte*>(text.data());
  return {p, p + text.size()};
}
std::string text_of(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(ThreadRanks, SumIsTheSameOnAllRanksAndWraps) {
  for (int ranks : {1, 2, 5}) {
    run_as_ranks(ranks, [&](Communicator& comm) {
      ASSERT_EQ(comm.size(), ranks);
      std::vector<int64_t> values = {comm.rank() + 1, -comm.rank(), std::numeric_limits<int64_t>::max()};
      comm.sum(values);
      uint64_t wrapped = 0;
      for (int r = 0; r < ranks; ++r) wrapped += static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
      EXPECT_EQ(values, (std::vector<int64_t>{ranks * (ranks + 1) / 2, -ranks * (ranks - 1) / 2, static_cast<int64_t>(wrapped)}));
    });
  }
}

TEST(ThreadRanks, GatherKeepsRankOrderAndLengths) {
  run_as_ranks(4, [](Communicator& comm) {
    const Bytes mine = bytes_of(std::string(static_cast<size_t>(comm.rank() * 3), static_cast<char>('a' + comm.rank())));
    const std::vector<Bytes> all = comm.all_gather(mine);
    ASSERT_EQ(all.size(), 4u);
    EXPECT_EQ(text_of(all[0]), "");
    EXPECT_EQ(text_of(all[3]), "ddddddddd");
    EXPECT_EQ(all_min(comm, 7 - comm.rank()), 4);
  });
}

TEST(ThreadRanks, BroadcastFromEveryRoot) {
  run_as_ranks(3, [](Communicator& comm) {
    for (int root = 0; root < 3; ++root) {
      Bytes bytes = bytes_of("from " + std::to_string(comm.rank()));
      comm.broadcast(bytes, root);
      EXPECT_EQ(text_of(bytes), "from " + std::to_string(root));
    }
  });
}

TEST(ThreadRanks, ABarrierLetsNobodyPassEarly) {
  std::atomic<int> before{0};
  run_as_ranks(4, [&](Communicator& comm) {
    for (int round = 1; round <= 500; ++round) {
      ++before;
      comm.barrier();
      EXPECT_GE(before.load(), 4 * round);
      comm.barrier();
    }
  });
  EXPECT_EQ(before.load(), 2000);
}

TEST(ThreadRanks, ManyMixedCalls) {
  run_as_ranks(3, [](Communicator& comm) {
    int64_t state = 0;
    for (int i = 0; i < 2000; ++i) {
      std::vector<int64_t> one = {state + comm.rank()};
      comm.sum(one);
      state = one[0] % 1000;
      for (const Bytes& b : comm.all_gather(std::as_bytes(std::span(&state, 1)))) EXPECT_EQ(ByteReader(b).get<int64_t>(), state);
    }
  });
}

TEST(ThreadRanks, TheOwnErrorOfTheLowestRankIsRethrown) {
  std::atomic<int> told{0};
  try {
    run_as_ranks(4, [&](Communicator& comm) {
      comm.barrier();
      if (comm.rank() == 2) fail(ErrorCode::kNumerical, "rank two", "a", "b");
      try {
        comm.barrier();
      } catch (const Error& error) {
        EXPECT_EQ(error.code, ErrorCode::kRankFailed);
        EXPECT_EQ(error.where, "rank 2");
        ++told;
        throw;
      }
    });
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code, ErrorCode::kNumerical);
  }
  EXPECT_EQ(told.load(), 3);
}

TEST(ThreadRanks, AllFailingGivesTheLowest) {
  try {
    run_as_ranks(3, [](Communicator& comm) { fail(ErrorCode::kBadInput, std::to_string(comm.rank()), "a", "b"); });
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.where, "0");
  }
}

TEST(ThreadRanks, ARankThatLeavesEarlyDoesNotHangTheRest) {
  EXPECT_THROW(run_as_ranks(3,
                            [](Communicator& comm) {
                              if (comm.rank() != 1) comm.barrier();
                            }),
               Error);
}

TEST(ThreadRanks, DifferentCallsAreOurBug) {
  try {
    run_as_ranks(2, [](Communicator& comm) {
      std::vector<int64_t> values = {1};
      if (comm.rank() == 0) {
        comm.sum(values);
      } else {
        comm.barrier();
      }
    });
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code, ErrorCode::kBug);
  }
}

}  // namespace
}  // namespace sluice
