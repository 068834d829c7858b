// A gate against becoming slow: a training step stays clearly ahead of PyTorch's, measured side by side.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "../python.hpp"

namespace plume::tests {
namespace {

TEST(Speed, TrainingStepIsClearlyFasterThanPyTorchs) {
  if (!python_has("torch, numpy"))
    GTEST_SKIP() << python << " has no torch and numpy (Debian: python3-torch, python3-numpy)";
  const std::string command = python +
                              " -B '" PLUME_SOURCE_DIR "/bench/peers/cpu.py' --plume '" PLUME_PROGRAM "' --python " +
                              python + " --rounds 3 --works train:16:1 --check";
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
}

}  // namespace
}  // namespace plume::tests
