// Philox against the known answers of its authors' Random123 distribution, and the draws made from it.
#include "kernels/base/philox.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace plume {
namespace {

TEST(Philox, KnownAnswers) {
  EXPECT_EQ(philox(0, {0, 0, 0, 0}), (PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t ones = 0xffffffff;
  EXPECT_EQ(philox(~std::uint64_t{0}, {ones, ones, ones, ones}),
            (PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  // Digits of pi; the key's low word comes first.
  EXPECT_EQ(philox(0x299f31d0a4093822, {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}),
            (PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, SequencesDependOnTheirWholeKey) {
  const auto first = [](Philox random) {
    return std::vector{random.next(), random.next(), random.next(), random.next(), random.next()};
  };
  const auto base = first(Philox(1, 2, 3, 4));
  EXPECT_EQ(first(Philox(1, 2, 3, 4)), base);
  for (const auto& other : {Philox(2, 2, 3, 4), Philox(1, 3, 3, 4), Philox(1, 2, 4, 4), Philox(1, 2, 3, 5)}) {
    EXPECT_NE(first(other), base);
  }
}

// Moments of n draws are within 5 standard errors of the distribution's.
TEST(Philox, UniformAndNormalMoments) {
  constexpr int n = 200000;
  Philox random(7, 0);
  double uniform = 0;
  double normal = 0;
  double normal_squares = 0;
  for (int i = 0; i < n; ++i) {
    const float u = random.uniform();
    ASSERT_GE(u, 0.0F);
    ASSERT_LT(u, 1.0F);
    const auto z = static_cast<double>(random.normal());
    uniform += static_cast<double>(u);
    normal += z;
    normal_squares += z * z;
  }
  const double error = 5 / std::sqrt(n);
  EXPECT_NEAR(uniform / n, 0.5, error * std::sqrt(1.0 / 12));
  EXPECT_NEAR(normal / n, 0, error);
  EXPECT_NEAR(normal_squares / n, 1, error * std::sqrt(2.0));
}

TEST(Philox, BelowIsUniform) {
  constexpr int n = 70000;
  Philox random(9, 0);
  std::vector<int> counts(7);
  for (int i = 0; i < n; ++i) ++counts.at(random.below(7));
  for (const int count : counts) EXPECT_NEAR(count, n / 7, 5 * std::sqrt(n / 7.0));
  EXPECT_EQ(random.below(1), 0U);
}

}  // namespace
}  // namespace plume
