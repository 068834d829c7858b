// A profile gives every moment to the innermost stretch of work, and to one only.
#include "kernels/profile.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <variant>
#include <vector>

#include "kernels/convolution.hpp"

namespace plume::kernels {
namespace {

void wait(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

TEST(ProfileTest, TimeIsTheInnermostStretchsAlone) {
  Stream stream = CpuStream(1);
  Profile profile;
  std::get<CpuStream>(stream).keep(&profile);
  const auto start = std::chrono::steady_clock::now();
  {
    const ProfileRange outer(stream, "layer", "backward");
    wait(0.01);
    {
      const ProfileRange inner(stream, "layer", "weight gradient", 5e9);
      wait(0.03);
    }
    wait(0.01);
  }
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  wait(0.01);  // nobody's
  { const ProfileRange next(stream, "next", "backward"); }

  const std::vector<Profile::Entry>& entries = profile.entries();
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].layer, "layer");
  EXPECT_EQ(entries[0].pass, "backward");
  EXPECT_GE(entries[0].seconds, 0.02);
  EXPECT_EQ(entries[1].pass, "weight gradient");
  EXPECT_EQ(entries[1].flops, 5e9);
  EXPECT_GE(entries[1].seconds, 0.03);
  EXPECT_EQ(entries[2].layer, "next");
  EXPECT_LE(entries[0].seconds + entries[1].seconds, taken.count());
  profile.clear();
  EXPECT_TRUE(profile.entries().empty());
}

TEST(ProfileTest, ConvolutionsNameTheirAlgorithm) {
  std::vector<float> x(8 * 8 * 16, 1.0F);
  std::vector<float> y(8 * 8 * 16);
  const std::vector<float> weight(9 * 16 * 16, 1.0F);
  for (const auto& [policy, name] :
       {std::pair{ConvPolicy::direct, "direct"}, {ConvPolicy::winograd_f2, "F2"}, {ConvPolicy::winograd_f4, "F4"}}) {
    Stream stream = CpuStream(1, policy);
    auto& cpu = std::get<CpuStream>(stream);
    const Image<float> in(x.data(), 1, 8, 8, 16);
    const Image<float> out(y.data(), 1, 8, 8, 16);
    const auto run = [&] {
      const ProfileRange range(stream, "conv", "forward");
      conv2d_forward<float>(out, in, weight.data(), nullptr, {3, 1, {1, 1, 1, 1}}, false, cpu);
    };
    run();  // without a profile it goes nowhere
    Profile profile;
    cpu.keep(&profile);
    run();
    ASSERT_EQ(profile.entries().size(), 1U);
    EXPECT_EQ(profile.entries().front().algorithm, name);
  }
}

}  // namespace
}  // namespace plume::kernels
