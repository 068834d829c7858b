// Full-size networks against PyTorch, which runs the same steps from the same weights just before (tests/parity/live.py).
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "../python.hpp"
#include "replay.hpp"
#include "scratch_folder.hpp"

namespace plume::tests {
namespace {

class Parity : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!python_has("torch, numpy"))
      GTEST_SKIP() << python << " has no torch and numpy (Debian: python3-torch, python3-numpy)";
    const std::string script = PLUME_SOURCE_DIR "/tests/parity/live.py";
    const std::string command = python + " -B '" + script + "' " + GetParam() + " '" + (folder_ / "").string() + "'";
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }

  [[nodiscard]] Recording recording(const std::string& recipe) const {
    const std::string family = GetParam();
    return {folder_ / (family + ".model.safetensors"), folder_ / "batches.safetensors",
            folder_ / (family + "." + recipe + ".safetensors")};
  }

  static void expect_first_step(const Difference& apart, double gradient_bound) {
    EXPECT_LE(apart.forward.error, 1e-5) << apart.forward.where;
    EXPECT_LE(apart.family.error, 1e-5) << apart.family.where;
    EXPECT_LE(apart.gradient.error, gradient_bound) << apart.gradient.where;
    expect_all_compared(apart, Recorded::with_layers);
  }

  ScratchFolder folder_;
};

// One test, since PyTorch's part takes longer than ours: the bounds are issue 2's.
TEST_P(Parity, FollowsPyTorch) {
  {
    SCOPED_TRACE("first step in f32, layer by layer and fused");
    for (const unet::Fusion fusion : {unet::Fusion::off, unet::Fusion::on}) {
      expect_first_step(replay(recording("exact"), DType::f32, fusion, kernels::ConvPolicy::direct), 1e-5);
    }
  }
  {
    SCOPED_TRACE("first step in f32 by Winograd");
    expect_first_step(replay(recording("exact"), DType::f32, unet::Fusion::on, kernels::ConvPolicy::winograd), 1e-4);
  }
  {
    SCOPED_TRACE("a few large steps in f64");
    const Difference apart = replay(recording("exact"), DType::f64, unet::Fusion::off);
    EXPECT_LE(apart.forward.error, 1e-6) << apart.forward.where;
    EXPECT_LE(apart.gradient.error, 1e-6) << apart.gradient.where;
    EXPECT_LE(apart.loss.error, 1e-6) << apart.loss.where;
    EXPECT_LE(apart.parameter.error, 1e-6) << apart.parameter.where;
    expect_all_compared(apart, Recorded::with_layers);
  }
  {
    SCOPED_TRACE("20 steps of SGD with momentum in f32");
    const Difference apart = replay(recording("sgd"), DType::f32, unet::Fusion::on);
    expect_all_compared(apart, Recorded::with_layers);
    EXPECT_EQ(apart.loss.compared, 20);
    EXPECT_LE(apart.loss.error, 1e-4) << apart.loss.where;
    EXPECT_LE(apart.parameter.error, 1e-3) << apart.parameter.where;
  }
  {
    SCOPED_TRACE("20 steps of AdamW in f32");
    const Difference apart = replay(recording("adamw"), DType::f32, unet::Fusion::on);
    expect_all_compared(apart, Recorded::with_layers);
    EXPECT_EQ(apart.loss.compared, 20);
    EXPECT_LE(apart.loss.error, 1e-3) << apart.loss.where;
  }
}

INSTANTIATE_TEST_SUITE_P(Families, Parity, testing::Values("classic", "pixel_detector"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace plume::tests
