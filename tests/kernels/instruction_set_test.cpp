// The instruction set is the one that the environment asks for.
#include <gtest/gtest.h>

#include <cstdlib>

#include "array.hpp"
#include "conv_case.hpp"
#include "kernels/cpu/isa/adamw.hpp"
#include "kernels/cpu/primitives.hpp"

namespace plume::tests {
namespace {

using InstructionSet = OnInstructionSet;

TEST_F(InstructionSet, IsTheOneAskedFor) {
  const char* asked = std::getenv("PLUME_ISA");
  if (asked == nullptr) GTEST_SKIP() << "PLUME_ISA is not set";
  EXPECT_EQ(kernels::instruction_set(), asked);
}

// AdamW's equal steps would show a last bit of a gradient that nearly cancels.
TEST_F(InstructionSet, LeavesNoTraceInAdamw) {
  constexpr std::size_t count = 1000;
  const kernels::AdamwBody<float> body{0.01F, 0.9F, 0.99F, 1e-6F, 1e-3F, 0.1F, 0.1F};
  const auto gradients = converted<float>(random_values(count, 2));
  const auto step = [&](decltype(kernels::isa::adamw_portable<float>)& adamw) {
    std::vector<float> parameters = converted<float>(random_values(count, 1)), first(count), second(count);
    for (int i = 0; i < 3; ++i) {
      adamw(parameters.data(), gradients.data(), first.data(), second.data(), count, 0.7F, body);
    }
    return parameters;
  };
  EXPECT_EQ(step(*kernels::primitives<float>().adamw), step(kernels::isa::adamw_portable<float>));
}

}  // namespace
}  // namespace plume::tests
