// The choice among the CPU's convolutions: by shape, and never where Winograd does not apply.
#include "kernels/cpu/conv_algorithm.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "array.hpp"

namespace plume::tests {
namespace {

using kernels::choose_algorithm;
using kernels::ConvAlgorithm;
using kernels::ConvGeometry;
using kernels::ConvPolicy;
using kernels::ConvWork;

constexpr ConvGeometry same{3, 1, {1, 1, 1, 1}};
constexpr ConvWork wide{1, 64, 64, 64, 64};

TEST(ConvAlgorithms, LargeImagesOfManyChannelsGoByTheLargeTile) {
  EXPECT_EQ(choose_algorithm<float>(wide, same, ConvPolicy::automatic), ConvAlgorithm::winograd_f4);
  EXPECT_EQ(choose_algorithm<float>({1, 256, 256, 16, 16}, same, ConvPolicy::automatic), ConvAlgorithm::winograd_f4);
}

TEST(ConvAlgorithms, TinyImagesGoByTheSmallTile) {
  EXPECT_EQ(choose_algorithm<float>({64, 2, 2, 64, 64}, same, ConvPolicy::automatic), ConvAlgorithm::winograd_f2);
}

TEST(ConvAlgorithms, FewBandsStayDirect) {
  EXPECT_EQ(choose_algorithm<float>({1, 256, 256, 3, 16}, same, ConvPolicy::automatic), ConvAlgorithm::direct);
  EXPECT_EQ(choose_algorithm<float>({1, 256, 256, 6, 16}, same, ConvPolicy::automatic), ConvAlgorithm::direct);
  // A direct weight gradient has the bands for lanes, most of them empty.
  EXPECT_EQ(choose_algorithm<float>({1, 256, 256, 6, 16, true}, same, ConvPolicy::automatic),
            ConvAlgorithm::winograd_f4);
}

TEST(ConvAlgorithms, OtherGeometriesAndEmptyImagesAreDirect) {
  for (const auto policy : {ConvPolicy::automatic, ConvPolicy::winograd, ConvPolicy::winograd_f4}) {
    EXPECT_EQ(choose_algorithm<float>(wide, {3, 2, {0, 0, 1, 1}}, policy), ConvAlgorithm::direct);
    EXPECT_EQ(choose_algorithm<float>(wide, {1, 1, {}}, policy), ConvAlgorithm::direct);
    EXPECT_EQ(choose_algorithm<float>({0, 64, 64, 64, 64}, same, policy), ConvAlgorithm::direct);
  }
}

TEST(ConvAlgorithms, PoliciesAreObeyed) {
  const ConvWork bands{1, 256, 256, 3, 16};
  EXPECT_EQ(choose_algorithm<float>(wide, same, ConvPolicy::direct), ConvAlgorithm::direct);
  EXPECT_NE(choose_algorithm<float>(bands, same, ConvPolicy::winograd), ConvAlgorithm::direct);
  EXPECT_EQ(choose_algorithm<float>(bands, same, ConvPolicy::winograd_f2), ConvAlgorithm::winograd_f2);
  EXPECT_EQ(choose_algorithm<double>(wide, same, ConvPolicy::automatic), ConvAlgorithm::direct);
  EXPECT_NE(choose_algorithm<double>(wide, same, ConvPolicy::winograd), ConvAlgorithm::direct);
}

// That a stream's policy reaches the arithmetic shows in the last bits.
TEST(ConvAlgorithms, TheStreamsPolicyReachesAllThreeDirections) {
  const Pixels<float> x(Array::random(1, 12, 12, 32, 1));
  const Pixels<float> grad(Array::random(1, 12, 12, 32, 2));
  const std::vector<float> weight = converted<float>(random_values(std::size_t{9} * 32 * 32, 3));
  const auto all = [&](ConvPolicy policy) {
    kernels::CpuStream stream(1, policy);
    Pixels<float> out(Array::random(1, 12, 12, 32, 4));
    Pixels<float> grad_in = out;
    std::vector<float> grad_weight(weight.size());
    auto in = x;
    auto g = grad;
    kernels::conv2d_forward<float>(out.image(), in.image(), weight.data(), nullptr, same, false, stream);
    kernels::conv2d_backward_data<float>(grad_in.image(), g.image(), weight.data(), {0, 32}, same, false, stream);
    kernels::conv2d_backward_weight<float>(grad_weight.data(), in.image(), g.image(), same, false, stream);
    return std::array{out.memory(), grad_in.memory(), grad_weight};
  };
  const auto direct = all(ConvPolicy::direct);
  const auto small = all(ConvPolicy::winograd_f2);
  const auto large = all(ConvPolicy::winograd_f4);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NE(direct[i], small[i]);
    EXPECT_NE(direct[i], large[i]);
    EXPECT_NE(small[i], large[i]);
    for (std::size_t j = 0; j < direct[i].size(); ++j) {
      ASSERT_NEAR(direct[i][j], small[i][j], 1e-2F);
      ASSERT_NEAR(direct[i][j], large[i][j], 1e-2F);
    }
  }
}

}  // namespace
}  // namespace plume::tests
