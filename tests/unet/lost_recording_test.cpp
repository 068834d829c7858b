// Where the driver makes no graph of a step, training goes on kernel by kernel, to the same bits.
#include <gtest/gtest.h>

#include "device_step.hpp"
#include "kernels/emulator/testing.hpp"

namespace plume::unet {
namespace {

class LostRecording : public testing::Test {
 protected:
  void TearDown() override { emulator::lose_captures(false); }
};

std::vector<double> four_steps(tests::SmallTraining& training) {
  std::vector<double> losses;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) losses.push_back(training.run(tests::drawn_batch(2, seed)));
  return losses;
}

TEST_F(LostRecording, StepsGoOnKernelByKernel) {
  const Config config = tests::device_config(Family::classic, tests::cuda);
  tests::SmallTraining replayed(config);
  const std::vector<double> expected = four_steps(replayed);
  EXPECT_EQ(replayed.step().replays(), 3);

  tests::SmallTraining queued(config);
  emulator::lose_captures(true);
  EXPECT_EQ(four_steps(queued), expected);
  EXPECT_EQ(queued.step().replays(), 0);
  EXPECT_NE(queued.step().graph_refusal().find("capture"), std::string::npos) << queued.step().graph_refusal();
  for (std::size_t i = 0; i < queued.parameters().size(); ++i) {
    EXPECT_EQ(queued.parameters()[i].values, replayed.parameters()[i].values) << queued.parameters()[i].name;
  }
}

}  // namespace
}  // namespace plume::unet
