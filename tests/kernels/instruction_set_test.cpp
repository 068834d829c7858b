// The instruction set is the one that the environment asks for, and its peak rate is that of the arithmetic it does.
#include <gtest/gtest.h>

#include <cstdlib>
#include <vector>

#include "array.hpp"
#include "conv_case.hpp"
#include "kernels/cpu/backward_primitives.hpp"
#include "kernels/cpu/isa/adamw.hpp"
#include "kernels/cpu/peak.hpp"
#include "kernels/cpu/primitives.hpp"

namespace plume::tests {
namespace {

using InstructionSet = OnInstructionSet;

TEST_F(InstructionSet, IsTheOneAskedFor) {
  const char* asked = std::getenv("PLUME_ISA");
  if (asked == nullptr) GTEST_SKIP() << "PLUME_ISA is not set";
  EXPECT_EQ(kernels::instruction_set(), asked);
}

TEST_F(InstructionSet, MultipliesAndAddsEveryValue) {
  const auto& cpu = kernels::primitives<double>();
  std::vector<double> x(static_cast<std::size_t>(cpu.peak_values));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<double>(i);
  cpu.multiply_adds(x.data(), 0.5, 3, 4);
  for (std::size_t i = 0; i < x.size(); ++i) {
    EXPECT_EQ(x[i], static_cast<double>(i) / 16 + 3 * (1 + 0.5 + 0.25 + 0.125));
  }
}

TEST_F(InstructionSet, PeakIsARateThatCpusHave) {
  kernels::CpuStream stream(1);
  const double peak = kernels::measure_peak(stream);
  EXPECT_GT(peak, 1e9);   // a multiply-add for each of 0.5 GHz
  EXPECT_LT(peak, 1e12);  // 16 lanes, 2 units, 10 GHz
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
  EXPECT_EQ(step(*kernels::backward_primitives<float>().adamw), step(kernels::isa::adamw_portable<float>));
}

}  // namespace
}  // namespace plume::tests
