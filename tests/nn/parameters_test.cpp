// Parameters: layouts of files against indices written out, and the flat buffers.
#include "nn/parameters.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <stdexcept>

#include "../expect_error.hpp"

namespace plume::nn {
namespace {

using plume::tests::expect_input_error;

constexpr int kernel = 3, in = 2, out = 4;

class ParametersTest : public testing::TestWithParam<DType> {
 protected:
  ParametersTest() {
    parameters_.declare("conv.weight", {kernel, kernel, in, out}, ParameterKind::conv_weight);
    parameters_.declare("up.weight", {kernel, kernel, in, out}, ParameterKind::conv_transpose_weight);
    parameters_.declare("up.bias", {1, 1, 1, out}, ParameterKind::vector);
    parameters_.declare("norm.running_mean", {1, 1, 1, 5}, ParameterKind::statistic);
    parameters_.allocate();
  }

  // The element of a weight in memory.
  [[nodiscard]] double weight(const char* name, int row, int column, int i, int o) const {
    const Tensor tensor = parameters_.tensor(name);
    const auto at = static_cast<std::size_t>(((row * kernel + column) * in + i) * out + o);
    return with_type(tensor.dtype(), [&](auto element) { return double{tensor.data<decltype(element)>()[at]}; });
  }

  // A value that tells where it belongs.
  static float code(int row, int column, int i, int o) {
    return static_cast<float>(1000 * o + 100 * i + 10 * row + column);
  }

  Parameters parameters_{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(, ParametersTest, testing::Values(DType::f32, DType::f64),
                         [](const auto& instance) { return instance.param == DType::f32 ? "float" : "double"; });

TEST_P(ParametersTest, AreFiniteWhereStatisticsAreToo) {
  EXPECT_TRUE(parameters_.finite());
  for (const char* name : {"up.bias", "norm.running_mean"}) {
    const ParameterInfo& info = *parameters_.find(name);
    NamedTensor tensor = parameters_.to_named(info);
    tensor.values.back() = std::numeric_limits<float>::infinity();
    parameters_.from_named(info, tensor);
    EXPECT_FALSE(parameters_.finite()) << name;
    tensor.values.back() = 0;
    parameters_.from_named(info, tensor);
  }
}

TEST_P(ParametersTest, ConvolutionWeightsAreOutInRowColumnInFiles) {
  NamedTensor file{"conv.weight", {out, in, kernel, kernel}, {}};
  for (int o = 0; o < out; ++o) {
    for (int i = 0; i < in; ++i) {
      for (int r = 0; r < kernel; ++r) {
        for (int s = 0; s < kernel; ++s) file.values.push_back(code(r, s, i, o));
      }
    }
  }
  const ParameterInfo& info = *parameters_.find("conv.weight");
  parameters_.from_named(info, file);
  for (int o = 0; o < out; ++o) {
    for (int i = 0; i < in; ++i) {
      for (int r = 0; r < kernel; ++r) {
        for (int s = 0; s < kernel; ++s) EXPECT_EQ(weight("conv.weight", r, s, i, o), code(r, s, i, o));
      }
    }
  }
  const NamedTensor back = parameters_.to_named(info);
  EXPECT_EQ(back.name, file.name);
  EXPECT_EQ(back.shape, file.shape);
  EXPECT_EQ(back.values, file.values);
}

TEST_P(ParametersTest, TransposedWeightsAreInOutRowColumnInFiles) {
  NamedTensor file{"up.weight", {in, out, kernel, kernel}, {}};
  for (int i = 0; i < in; ++i) {
    for (int o = 0; o < out; ++o) {
      for (int r = 0; r < kernel; ++r) {
        for (int s = 0; s < kernel; ++s) file.values.push_back(code(r, s, i, o));
      }
    }
  }
  const ParameterInfo& info = *parameters_.find("up.weight");
  parameters_.from_named(info, file);
  EXPECT_EQ(weight("up.weight", 2, 1, 1, 3), code(2, 1, 1, 3));
  EXPECT_EQ(weight("up.weight", 0, 2, 0, 1), code(0, 2, 0, 1));
  EXPECT_EQ(parameters_.to_named(info).values, file.values);
}

TEST_P(ParametersTest, GradientsAreNamedInTheSameLayout) {
  const Tensor tensor = parameters_.tensor("conv.weight");
  with_type(tensor.dtype(), [&](auto element) {
    tensor.gradient<decltype(element)>()[1] = 7;  // row 0, column 0, input 0, output 1
  });
  const auto gradient = parameters_.gradient_to_named(*parameters_.find("conv.weight"));
  EXPECT_EQ(gradient.values[kernel * kernel * in], 7.0F);
}

TEST_P(ParametersTest, EveryParameterStartsOn64Bytes) {
  for (const ParameterInfo& info : parameters_.all()) {
    const Tensor tensor = parameters_.tensor(info.name);
    with_type(tensor.dtype(), [&](auto element) {
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor.data<decltype(element)>()) % 64, 0U) << info.name;
    });
  }
  EXPECT_EQ(parameters_.trainable_count(), std::size_t{2 * 9 * 8 + 4});
  EXPECT_GE(parameters_.flat_size(), parameters_.trainable_count());
}

TEST_P(ParametersTest, StatisticsHaveNoGradient) {
  EXPECT_FALSE(parameters_.tensor("norm.running_mean").wants_gradient());
  EXPECT_THROW((void)parameters_.gradient_to_named(*parameters_.find("norm.running_mean")), std::logic_error);
}

TEST_P(ParametersTest, RefusesAnotherShapeAndName) {
  const ParameterInfo& info = *parameters_.find("up.bias");
  expect_input_error([&] { parameters_.from_named(info, {"up.bias", {3}, {1, 2, 3}}); }, "up.bias", "(3)", "(4)");
  EXPECT_THROW((void)parameters_.tensor("absent"), std::out_of_range);
  EXPECT_EQ(parameters_.find("absent"), nullptr);
}

TEST(ParametersOfBf16, KeepARoundedCopyBesideTheValues) {
  Parameters parameters(DType::bf16);
  parameters.declare("a.weight", {1, 1, 1, 3}, ParameterKind::vector);
  parameters.declare("b.weight", {1, 1, 1, 2}, ParameterKind::vector);
  parameters.allocate();
  EXPECT_EQ(parameters.dtype(), DType::f32);
  parameters.from_named(*parameters.find("b.weight"), {"b.weight", {2}, {1.00390625F, -3.1415927F}});
  const Tensor b = parameters.tensor("b.weight");
  EXPECT_EQ(b.as<float>()[0], 1.00390625F);
  EXPECT_EQ(b.as<bf16>()[0], 1.0F);  // half way: to even
  EXPECT_EQ(b.as<bf16>()[1], -3.140625F);
  EXPECT_EQ(b.as<bf16>(), parameters.rounded() + parameters.find("b.weight")->offset);
  EXPECT_EQ(Parameters(DType::f32).rounded(), nullptr);
}

}  // namespace
}  // namespace plume::nn
