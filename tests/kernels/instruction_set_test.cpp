// The instruction set is the one that the environment asks for, and its peak rate is that of the arithmetic it does.
#include <gtest/gtest.h>

#include <cstdlib>
#include <vector>

#include "conv_case.hpp"
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

}  // namespace
}  // namespace plume::tests
