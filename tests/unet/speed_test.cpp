// A gate against becoming slow: a training step takes no more than twice PyTorch's time, measured side by side.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "python.hpp"

namespace plume::tests {
namespace {

TEST(Speed, TrainingStepIsAtLeastHalfAsFastAsPyTorchs) {
  if (!has_torch()) GTEST_SKIP() << python << " has no torch and numpy (Debian: python3-torch, python3-numpy)";
  const std::string command = python + " -B '" PLUME_SOURCE_DIR "/bench/peers/step_speed.py' --plume '" PLUME_PROGRAM
                                       "' --rounds 3 --cases 16x128x8 --check";
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
}

}  // namespace
}  // namespace plume::tests
