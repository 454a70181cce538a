// What needs no launcher; the ranks themselves are tested by mpi_ranks_test.sh.
#include "sluice/comm/mpi_ranks.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "sluice/core/error.h"

namespace sluice {
namespace {

TEST(MpiRanks, WithoutALauncherThereIsOneRank) {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK", "MPI_LOCALNRANKS"}) unsetenv(name);
  EXPECT_EQ(mpi_communicator_if_launched(), nullptr);
  setenv("OMPI_COMM_WORLD_SIZE", "1", 1);
  EXPECT_EQ(mpi_communicator_if_launched(), nullptr);
  unsetenv("OMPI_COMM_WORLD_SIZE");
}

TEST(MpiRanks, ASingleRankEndsWithItsOwnCode) {
  int said = 0;
  SelfCommunicator self;
  EXPECT_EQ(end_ranks(&self, 0, [&] { ++said; }), 0);
  EXPECT_EQ(said, 0);
  EXPECT_EQ(end_ranks(&self, 4, [&] { ++said; }), 4);
  EXPECT_EQ(end_ranks(nullptr, 3, [&] { ++said; }), 3);
  EXPECT_EQ(said, 2);
}

}  // namespace
}  // namespace sluice
