// Small networks against files that PyTorch recorded (tests/parity/make_golden.py), so that no PyTorch is needed.
#include <gtest/gtest.h>

#include <filesystem>
#include <limits>
#include <string>
#include <tuple>

#include "nn/safetensors.hpp"
#include "replay.hpp"
#include "unet/families.hpp"

namespace plume::tests {
namespace {

using Case = std::tuple<const char*, const char*>;  // family, recipe

std::filesystem::path golden(const std::string& name) {
  return std::filesystem::path(PLUME_SOURCE_DIR) / "tests" / "golden" / (name + ".safetensors");
}

Recording recording_of(const Case& which) {
  const std::string family = std::get<0>(which);
  return {golden(family + ".model"), golden("batches"), golden(family + "." + std::get<1>(which))};
}

// The first recipe's file holds what all share.
Recorded recorded_in(const Case& which) {
  return std::string(std::get<1>(which)) == "sgd" ? Recorded::with_layers : Recorded::without_layers;
}

class Golden : public testing::TestWithParam<Case> {};

// The records hold f32, so 1e-6 is as near as double can come to them.
TEST_P(Golden, DoubleFollowsPyTorch) {
  const Difference apart = replay(recording_of(GetParam()), DType::f64, unet::Fusion::off);
  EXPECT_LE(apart.forward.error, 1e-6) << apart.forward.where;
  EXPECT_LE(apart.family.error, 1e-6) << apart.family.where;
  EXPECT_LE(apart.gradient.error, 1e-6) << apart.gradient.where;
  EXPECT_LE(apart.loss.error, 1e-6) << apart.loss.where;
  EXPECT_LE(apart.parameter.error, 1e-6) << apart.parameter.where;
  expect_all_compared(apart, recorded_in(GetParam()));
}

// Gradients of the few biases here that batch norm nearly takes away are sums that nearly cancel: 3e-5 was seen. The
// full-size networks of parity_test.cpp keep within 1e-5. Losses were seen to part by 2e-6 at most, parameters by 1e-6
// under SGD; AdamW takes steps of one size however small a gradient, so those biases part by 2e-3.
TEST_P(Golden, FloatFollowsPyTorch) {
  const double parameter_bound = std::string(std::get<1>(GetParam())) == "adamw" ? 1e-2 : 1e-4;
  for (const unet::Fusion fusion : {unet::Fusion::off, unet::Fusion::on}) {
    const Difference apart = replay(recording_of(GetParam()), DType::f32, fusion);
    EXPECT_LE(apart.forward.error, 1e-5) << apart.forward.where;
    EXPECT_LE(apart.family.error, 1e-5) << apart.family.where;
    EXPECT_LE(apart.gradient.error, 1e-4) << apart.gradient.where;
    EXPECT_LE(apart.loss.error, 1e-5) << apart.loss.where;
    EXPECT_LE(apart.parameter.error, parameter_bound) << apart.parameter.where;
    expect_all_compared(apart, recorded_in(GetParam()));
  }
}

INSTANTIATE_TEST_SUITE_P(Families, Golden,
                         testing::Combine(testing::Values("classic", "bilinear", "pixel_detector"),
                                          testing::Values("sgd", "nesterov", "adamw", "dice")),
                         [](const auto& info) {
                           return std::string(std::get<0>(info.param)) + "_" + std::get<1>(info.param);
                         });

// A NaN on our side must not pass as a small difference.
TEST(Replay, NotANumberIsTheWorst) {
  Worst worst;
  worst.add(std::numeric_limits<double>::quiet_NaN(), "nan");
  worst.add(0.5, "half");
  EXPECT_EQ(worst.error, std::numeric_limits<double>::infinity());
  EXPECT_EQ(worst.where, "nan");
  EXPECT_EQ(worst.compared, 2);
}

// The golden graphs were written without plume.
TEST(GoldenGraphs, EqualWhatPlumeBuilds) {
  const auto graph_in = [](const std::string& family) {
    return unet::graph_from_json(nn::SafetensorsFile(golden(family + ".model")).metadata().at("plume.graph"));
  };
  using unet::build_graph;
  using unet::Family;
  using unet::Up;
  EXPECT_EQ(build_graph({.base = 4, .depth = 2}), graph_in("classic"));
  EXPECT_EQ(build_graph({.base = 4, .depth = 2, .up = Up::bilinear}), graph_in("bilinear"));
  EXPECT_EQ(build_graph({.family = Family::pixel_detector, .base = 4, .depth = 2, .wide = 6}),
            graph_in("pixel_detector"));
}

}  // namespace
}  // namespace plume::tests
