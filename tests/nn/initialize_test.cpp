// Initialisers: the moments and ranges that their papers state, and draws that depend on seed and place alone.
#include "nn/initialize.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace plume::nn {
namespace {

constexpr int kernel = 3, in = 40, out = 60;
constexpr double fan_in = kernel * kernel * in, fan_out = kernel * kernel * out;

Parameters drawn(Initializer initializer, std::uint64_t seed = 1) {
  Parameters parameters;
  parameters.declare("conv.weight", {kernel, kernel, in, out}, ParameterKind::conv_weight);
  parameters.declare("conv.bias", {1, 1, 1, out}, ParameterKind::vector);
  parameters.declare("norm.weight", {1, 1, 1, out}, ParameterKind::vector);
  parameters.declare("norm.bias", {1, 1, 1, out}, ParameterKind::vector);
  parameters.declare("norm.running_mean", {1, 1, 1, out}, ParameterKind::statistic);
  parameters.declare("norm.running_var", {1, 1, 1, out}, ParameterKind::statistic);
  parameters.declare("up.weight", {kernel, kernel, in, out}, ParameterKind::conv_transpose_weight);
  parameters.allocate();
  initialize(parameters, initializer, seed);
  return parameters;
}

std::vector<float> values(const Parameters& parameters, const char* name) {
  return parameters.to_named(*parameters.find(name)).values;
}

double largest(const std::vector<float>& all) {
  double result = 0;
  for (const float value : all) result = std::max(result, std::abs(double{value}));
  return result;
}

// Mean 0 and this variance, within 5 standard errors; the fourth moment of neither distribution exceeds 3 variance^2.
void expect_moments(const std::vector<float>& all, double variance) {
  const auto count = static_cast<double>(all.size());
  double sum = 0;
  double squares = 0;
  for (const float value : all) {
    sum += value;
    squares += double{value} * value;
  }
  EXPECT_NEAR(sum / count, 0, 5 * std::sqrt(variance / count));
  EXPECT_NEAR(squares / count, variance, 5 * variance * std::sqrt(2 / count));
}

TEST(Initialize, He) {
  const auto weights = values(drawn(Initializer::he), "conv.weight");
  expect_moments(weights, 2 / fan_in);
  EXPECT_GT(largest(weights), 3 * std::sqrt(2 / fan_in)) << "a normal distribution has tails";
  EXPECT_EQ(largest(values(drawn(Initializer::he), "conv.bias")), 0);
}

TEST(Initialize, Glorot) {
  const auto weights = values(drawn(Initializer::glorot), "conv.weight");
  const double bound = std::sqrt(6 / (fan_in + fan_out));
  expect_moments(weights, bound * bound / 3);
  EXPECT_LE(largest(weights), bound * (1 + 1e-6));
  EXPECT_GT(largest(weights), 0.99 * bound);
  EXPECT_EQ(largest(values(drawn(Initializer::glorot), "conv.bias")), 0);
}

TEST(Initialize, Pytorch) {
  const Parameters parameters = drawn(Initializer::pytorch);
  const double bound = 1 / std::sqrt(fan_in);
  expect_moments(values(parameters, "conv.weight"), bound * bound / 3);
  EXPECT_LE(largest(values(parameters, "conv.weight")), bound * (1 + 1e-6));
  EXPECT_LE(largest(values(parameters, "conv.bias")), bound * (1 + 1e-6));
  EXPECT_GT(largest(values(parameters, "conv.bias")), 0.8 * bound);
  // torch.nn.ConvTranspose2d counts its output channels as the fan.
  EXPECT_NEAR(largest(values(parameters, "up.weight")), 1 / std::sqrt(fan_out), 0.01 / std::sqrt(fan_out));
}

TEST(Initialize, NormalisationStartsAsIdentity) {
  for (const auto initializer : {Initializer::he, Initializer::glorot, Initializer::pytorch}) {
    const Parameters parameters = drawn(initializer);
    for (const char* ones : {"norm.weight", "norm.running_var"}) {
      EXPECT_EQ(values(parameters, ones), std::vector<float>(out, 1.0F));
    }
    for (const char* zeros : {"norm.bias", "norm.running_mean"}) {
      EXPECT_EQ(values(parameters, zeros), std::vector<float>(out, 0.0F));
    }
  }
}

TEST(Initialize, DependsOnTheSeedAlone) {
  EXPECT_EQ(values(drawn(Initializer::he, 3), "conv.weight"), values(drawn(Initializer::he, 3), "conv.weight"));
  EXPECT_NE(values(drawn(Initializer::he, 3), "conv.weight"), values(drawn(Initializer::he, 4), "conv.weight"));
  const Parameters parameters = drawn(Initializer::he);
  EXPECT_NE(values(parameters, "conv.weight"), values(parameters, "up.weight")) << "two parameters share draws";
}

}  // namespace
}  // namespace plume::nn
