// Every half, and every float between them.
#include "kernels/base/float16.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace plume {
namespace {

TEST(Float16, GoesThereAndBack) {
  for (std::uint32_t bits = 0; bits < 0x10000U; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = float_from_f16(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(float_from_f16(f16_from_float(value))));
    } else {
      ASSERT_EQ(f16_from_float(value), half);
    }
  }
}

// Of two neighbours and what lies between: nearer one wins, the middle goes to the even one.
TEST(Float16, RoundsToNearestEven) {
  for (std::uint16_t half = 0; half < 0x7BFFU; ++half) {
    const double low = float_from_f16(half);
    const double high = float_from_f16(static_cast<std::uint16_t>(half + 1));
    const auto middle = static_cast<float>((low + high) / 2);  // exact
    const auto even = static_cast<std::uint16_t>(half % 2 == 0 ? half : half + 1);
    ASSERT_EQ(f16_from_float(middle), even) << half;
    ASSERT_EQ(f16_from_float(std::nextafter(middle, 0.0F)), half);
    ASSERT_EQ(f16_from_float(std::nextafter(middle, 1e9F)), half + 1);
    ASSERT_EQ(f16_from_float(-middle), even | 0x8000U);
  }
}

TEST(Float16, SaturatesToInfinity) {
  EXPECT_EQ(f16_from_float(65504.0F), 0x7BFFU);
  EXPECT_EQ(f16_from_float(std::nextafter(65520.0F, 0.0F)), 0x7BFFU);
  EXPECT_EQ(f16_from_float(65520.0F), 0x7C00U);
  EXPECT_EQ(f16_from_float(-1e30F), 0xFC00U);
  EXPECT_EQ(f16_from_float(std::numeric_limits<float>::infinity()), 0x7C00U);
}

}  // namespace
}  // namespace plume
