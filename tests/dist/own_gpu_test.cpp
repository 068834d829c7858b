// Which GPU is whose, told from what each rank sees; and ranks that know each other by files alone.
#include "dist/own_gpu.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include "../expect_error.hpp"
#include "../scratch_folder.hpp"
#include "dist/collectives.hpp"
#include "dist/file_group.hpp"
#include "dist/slice_sum.hpp"
#include "in_ranks.hpp"

namespace plume::tests {
namespace {

using dist::Communicator;

TEST(OwnGpu, IsTheOnlyOneOrTheLocalRanks) {
  in_ranks(3, [](Communicator& communicator) {
    EXPECT_EQ(dist::own_gpu(communicator, 1), 0);
    EXPECT_EQ(dist::own_gpu(communicator, 4), communicator.rank());
    EXPECT_EQ(dist::own_gpu(communicator, 0), -1);
  });
}

TEST(OwnGpu, IsRefusedOnAllRanksWhereOneHasNone) {
  in_ranks(3, [](Communicator& communicator) {
    expect_error(
        ErrorKind::environment, [&] { static_cast<void>(dist::own_gpu(communicator, 2)); }, "rank 2 on ", "number 3",
        "2 CUDA devices");
    expect_error(
        ErrorKind::environment,
        [&] { static_cast<void>(dist::own_gpu(communicator, communicator.rank() == 1 ? 0 : 4)); }, "rank 1 on ",
        "sees no CUDA device");
  });
}

TEST(FileGroup, SharesWhatRanksHave) {
  in_ranks(3, [](Communicator& communicator) {
    EXPECT_EQ(communicator.local_rank(), communicator.rank());
    EXPECT_EQ(communicator.local_size(), 3);
    EXPECT_EQ(dist::gathered(communicator, 7 * communicator.rank()), (std::vector<int>{0, 7, 14}));
    for (int root = 0; root < 3; ++root) {
      std::string text = communicator.rank() == root ? std::string(1000, 'x') + "end" : "other";
      dist::broadcast(communicator, text, root);
      EXPECT_EQ(text, std::string(1000, 'x') + "end");
    }
    std::vector<float> values{1.0F + static_cast<float>(communicator.rank()), 10, 20, 30};
    kernels::Stream stream = kernels::CpuStream(1);
    const auto sum = dist::host_sum(communicator, values.data(), stream, dist::Wire::f32);
    sum->begin(0, 3);
    sum->begin(3, 1);
    sum->finish();
    EXPECT_EQ(values, (std::vector<float>{6, 30, 60, 90}));
  });
}

TEST(FileGroup, NamesWhoDoesNotCome) {
  const ScratchFolder folder;
  std::filesystem::create_directory(folder / "group");
  expect_error(
      ErrorKind::environment, [&] { static_cast<void>(dist::file_group(folder / "group", 0, 2, 0.2)); },
      "rank 1 has not come to ", "within 0.2 s");
  in_ranks(2, [&](Communicator& communicator) {
    const auto group = dist::file_group(folder / "group", communicator.rank(), 2, 0.5);
    if (communicator.rank() == 0)
      expect_error(
          ErrorKind::environment, [&] { dist::barrier(*group); }, "rank 1 has not come");
  });
}

}  // namespace
}  // namespace plume::tests
