// A network with two levels and one of nearly everything, small enough for central differences of all its parameters.
#pragma once

#include <cstdint>
#include <vector>

#include "../random_values.hpp"
#include "nn/initialize.hpp"
#include "nn/loss.hpp"
#include "nn/ops/ops.hpp"
#include "nn/parameters.hpp"
#include "nn/tape.hpp"

namespace plume::nn::tests {

class SmallNetwork {
 public:
  static constexpr int bands = 3, rows = 6, columns = 8;

  explicit SmallNetwork(DType dtype) : parameters(dtype) {
    declare_conv("down", {3, 3, bands, 4}, ParameterKind::conv_weight, false);
    declare_norm("down_norm", 4);
    declare_norm("deep_norm", 4);
    declare_conv("deep", {3, 3, 4, 6}, ParameterKind::conv_weight, true);
    declare_conv("up", {2, 2, 6, 4}, ParameterKind::conv_transpose_weight, true);
    declare_conv("head", {1, 1, 8, 1}, ParameterKind::conv_weight, true);
    parameters.allocate();
    initialize(parameters, Initializer::pytorch, 1);
  }

  [[nodiscard]] Tensor logits(const Context& context, const Tensor& image) const {
    constexpr kernels::ConvGeometry same{3, 1, {1, 1, 1, 1}};
    const Tensor down = conv_norm_relu(context, image, conv("down", same, false), norm("down_norm"));
    const Tensor deep = norm_conv_relu(context, max_pool(context, down), norm("deep_norm"), conv("deep", same));
    const Inputs joined = up_concat(context, deep, conv("up", {2, 2, {}}), down, SkipOrder::skip_first);
    return conv2d(context, joined, conv("head", {1, 1, {}}));
  }

  // The loss of a fixed batch drawn for its size; with a tape also its gradient, added to the parameters'.
  double step(Context context, int batch) const {
    const Shape shape{batch, rows, columns, bands};
    const Tensor image(shape, parameters.dtype(), "image",
                       context.arena.allocate(shape.count() * size_of(parameters.dtype()), "image"), false);
    const auto values = plume::tests::random_values(shape.count(), 5);
    with_type(parameters.dtype(), [&](auto element) {
      for (std::size_t i = 0; i < values.size() && !context.dry; ++i) {
        image.data<decltype(element)>()[i] = static_cast<decltype(element)>(values[i]);
      }
    });
    const auto labels = plume::tests::random_labels(static_cast<std::size_t>(batch * rows * columns), 6, 2);
    const Tensor z = logits(context, image);
    const double value = loss(context, z, {labels.data(), nullptr}, {.cross_entropy = 1, .dice = 0.5});
    if (context.tape) backward(context, *context.tape);
    return value;
  }

  Parameters parameters;

 private:
  void declare_conv(const std::string& name, Shape weight, ParameterKind kind, bool bias) {
    parameters.declare(name + ".weight", weight, kind);
    if (bias) parameters.declare(name + ".bias", {1, 1, 1, weight.c}, ParameterKind::vector);
  }
  void declare_norm(const std::string& name, int channels) {
    const Shape shape{1, 1, 1, channels};
    parameters.declare(name + ".weight", shape, ParameterKind::vector);
    parameters.declare(name + ".bias", shape, ParameterKind::vector);
    parameters.declare(name + ".running_mean", shape, ParameterKind::statistic);
    parameters.declare(name + ".running_var", shape, ParameterKind::statistic);
  }
  [[nodiscard]] Conv conv(const std::string& name, const kernels::ConvGeometry& geometry, bool bias = true) const {
    return {parameters.tensor(name + ".weight"), bias ? parameters.tensor(name + ".bias") : Tensor(), geometry};
  }
  [[nodiscard]] BatchNorm norm(const std::string& name) const {
    const auto at = [&](const char* part) { return parameters.tensor(name + part); };
    return {at(".weight"), at(".bias"), at(".running_mean"), at(".running_var"), {}};
  }
};

}  // namespace plume::nn::tests
