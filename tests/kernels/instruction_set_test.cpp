// The instruction set is the one that the environment asks for.
#include <gtest/gtest.h>

#include <cstdlib>

#include "conv_case.hpp"
#include "kernels/cpu/primitives.hpp"

namespace plume::tests {
namespace {

using InstructionSet = OnInstructionSet;

TEST_F(InstructionSet, IsTheOneAskedFor) {
  const char* asked = std::getenv("PLUME_ISA");
  if (asked == nullptr) GTEST_SKIP() << "PLUME_ISA is not set";
  EXPECT_EQ(kernels::instruction_set(), asked);
}

}  // namespace
}  // namespace plume::tests
