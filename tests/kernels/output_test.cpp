// Probabilities and masks on the CPU by the definition.
#include "kernels/output.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "array.hpp"

namespace plume::tests {
namespace {

using kernels::Link;

template <class T>
class Output : public testing::Test {
 protected:
  kernels::CpuStream stream_{1};
};
using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(Output, Elements);

TYPED_TEST(Output, ProbabilitiesAndMask) {
  using T = TypeParam;
  for (const int channels : {1, 2, 5}) {
    for (const Link link : {Link::sigmoid, Link::softmax}) {
      const Array z = Array::random(2, 7, 5, channels, 1, -4, 4);
      Pixels<T> logits(z, 1);
      Pixels<float> probability(z.like(), 2);
      std::vector<std::uint8_t> mask(70, 99);
      kernels::decide<T>(probability.image(), mask.data(), logits.image(), link, 0.6F, this->stream_);
      Array expected = z.like();
      for (std::size_t p = 0; p < mask.size(); ++p) {
        const auto first = p * static_cast<std::size_t>(channels);
        double sum = 0;
        std::size_t best = 0;
        for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c) {
          sum += std::exp(z.values[first + c]);
          if (z.values[first + c] > z.values[first + best]) best = c;
        }
        for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c) {
          const double e = std::exp(z.values[first + c]);
          expected.values[first + c] = link == Link::sigmoid ? e / (1 + e) : e / sum;
        }
        ASSERT_EQ(mask[p], channels == 1 ? (expected.values[p] > 0.6 ? 1 : 0) : static_cast<int>(best)) << p;
      }
      expect_near(probability.array(), expected, roundings<float>(8), "probability", 1);
    }
  }
}

TYPED_TEST(Output, EitherAlone) {
  using T = TypeParam;
  const Array z = Array::random(1, 3, 3, 1, 1, -4, 4);
  Pixels<T> logits(z);
  Pixels<float> both(z.like()), alone(z.like());
  std::vector<std::uint8_t> mask(9), mask_alone(9);
  kernels::decide<T>(both.image(), mask.data(), logits.image(), Link::sigmoid, 0.5F, this->stream_);
  kernels::decide<T>(alone.image(), nullptr, logits.image(), Link::sigmoid, 0.5F, this->stream_);
  kernels::decide<T>({}, mask_alone.data(), logits.image(), Link::sigmoid, 0.5F, this->stream_);
  EXPECT_EQ(alone.memory(), both.memory());
  EXPECT_EQ(mask_alone, mask);
}

// A probability at the threshold is not above it; of equals the first channel wins; a NaN is nothing.
TYPED_TEST(Output, Ties) {
  using T = TypeParam;
  const auto decision = [&](std::vector<double> z, Link link) {
    Array in(1, 1, 1, static_cast<int>(z.size()));
    in.values = std::move(z);
    Pixels<T> logits(in);
    std::uint8_t mask = 99;
    kernels::decide<T>({}, &mask, logits.image(), link, 0.5F, this->stream_);
    return int{mask};
  };
  EXPECT_EQ(decision({0}, Link::sigmoid), 0);
  EXPECT_EQ(decision({1e-3}, Link::sigmoid), 1);
  EXPECT_EQ(decision({std::numeric_limits<double>::quiet_NaN()}, Link::sigmoid), 0);
  EXPECT_EQ(decision({1, 2, 2}, Link::softmax), 1);
  EXPECT_EQ(decision({-800, 0, 800}, Link::softmax), 2);
}

}  // namespace
}  // namespace plume::tests
