#include "unet/quantized_network.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <utility>
#include <variant>

#include "kernels/base/error.hpp"
#include "kernels/upsample.hpp"
#include "nn/ops/ops.hpp"

namespace plume::unet {
namespace {

constexpr float least_share = 1.0F / 256;

using kernels::Quantization;
using Channels = std::vector<Quantization>;

std::size_t at(int i) {
  return static_cast<std::size_t>(i);
}

const Layer& layer_of(const Network& network, int index) {
  return network.graph().layers[at(index)];
}

// relu: what a layer yields is not below 0, whatever the range.
Channels quantization_of(const Layer& layer, int channels, bool relu, const Ranges& ranges) {
  const auto found = ranges.find(layer.name);
  if (found == ranges.end() || std::ssize(found->second) != channels) {
    throw input_error("no range of layer {}, which int8 needs; run `plume quantize` on this model", layer.name);
  }
  // A channel that calibration hardly saw alive gets a share of the widest one's range, to be ready for more.
  float widest = 0;
  for (const Range& range : found->second) widest = std::max(widest, range.high - range.low);
  Channels quantizations;
  for (const Range& range : found->second) {
    quantizations.push_back(
        kernels::quantization_of(relu ? 0 : range.low, std::max(range.high, range.low + widest * least_share)));
  }
  return quantizations;
}

Channels joined(const std::vector<Channels>& parts) {
  Channels all;
  for (const Channels& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

// body(CPU stream), unless the step only plans its memory.
template <class Body>
void on_cpu(const nn::Context& context, const Body& body) {
  if (!context.dry) body(std::get<kernels::CpuStream>(context.stream));
}

nn::Tensor bytes(const nn::Context& context, const nn::Shape& shape, const std::string& name) {
  return context.allocate(shape, DType::u8, name);
}

// One tensor with all channels of some, each requantised as `pass` does: pass(to, from, first channel, stream).
template <class From, class Pass>
nn::Tensor join(const nn::Context& context, const nn::Inputs& parts, const Pass& pass) {
  const nn::Tensor joined = bytes(context, parts.shape(), parts.front().name());
  on_cpu(context, [&](kernels::CpuStream& stream) {
    int first = 0;
    for (const nn::Tensor& part : parts) {
      const int channels = part.shape().c;
      pass(joined.image<std::uint8_t>().channels(first, channels), kernels::Image<const From>(part.image<From>()),
           at(first), stream);
      first += channels;
    }
  });
  return joined;
}

nn::Tensor quantize(const nn::Context& context, const nn::Inputs& parts, const Channels& to) {
  const std::vector<float> one(to.size(), 1.0F);
  const std::vector<float> zero(to.size());
  return join<float>(context, parts, [&](auto image, auto from, std::size_t first, kernels::CpuStream& stream) {
    kernels::requantize<float>(image, std::span(to).subspan(first, at(image.c)), from, one, zero, stream);
  });
}

nn::Inputs dequantize(const nn::Context& context, const nn::Inputs& parts, const std::vector<Channels>& from) {
  nn::Inputs reals;
  auto quantization = from.begin();
  for (const nn::Tensor& part : parts) {
    const nn::Tensor real = context.allocate(part.shape(), DType::f32, part.name());
    on_cpu(context, [&](kernels::CpuStream& stream) {
      kernels::dequantize(real.image<float>(), part.image<std::uint8_t>(), *quantization, stream);
    });
    reals.append(real);
    ++quantization;
  }
  return reals;
}

nn::Tensor convolve(const nn::Context& context, const nn::Inputs& input, const kernels::QuantizedConv& conv,
                    const std::string& name, bool real) {
  const nn::Shape in = input.shape();
  const kernels::ConvGeometry& g = conv.geometry;
  const nn::Shape shape = conv.transposed
                              ? nn::Shape{in.n, g.transposed_rows(in.h), g.transposed_columns(in.w), conv.out}
                              : nn::Shape{in.n, g.output_rows(in.h), g.output_columns(in.w), conv.out};
  nn::Tensor output = context.allocate(shape, real ? DType::f32 : DType::u8, name);
  on_cpu(context, [&](kernels::CpuStream& stream) {
    const auto sources = input.sources<std::uint8_t>();
    if (real) {
      kernels::quantized_conv_forward(output.image<float>(), sources, conv, stream);
    } else {
      kernels::quantized_conv_forward(output.image<std::uint8_t>(), sources, conv, stream);
    }
  });
  return output;
}

// pass(to, from, stream) on each tensor, into one whose rows and columns are its own times numerator / denominator.
template <class Pass>
nn::Inputs resize(const nn::Context& context, const nn::Inputs& input, int numerator, int denominator,
                  const Pass& pass) {
  nn::Inputs outputs;
  for (const nn::Tensor& part : input) {
    const nn::Shape& in = part.shape();
    const nn::Tensor output =
        bytes(context, {in.n, in.h * numerator / denominator, in.w * numerator / denominator, in.c},
              part.name() + ".resized");
    on_cpu(context, [&](kernels::CpuStream& stream) {
      pass(output.image<std::uint8_t>(), kernels::Image<const std::uint8_t>(part.image<std::uint8_t>()), stream);
    });
    outputs.append(output);
  }
  return outputs;
}

nn::Inputs upsample(const nn::Context& context, const nn::Inputs& input, kernels::Interpolation interpolation) {
  return resize(context, input, 2, 1, [&](auto to, auto from, kernels::CpuStream& stream) {
    kernels::upsample_forward<std::uint8_t>(to, from, interpolation, stream);
  });
}

}  // namespace

QuantizedNetwork::QuantizedNetwork(const Network& network, const Ranges& ranges, kernels::CpuStream& stream)
    : network_(network), values_(network.graph().layers.size() + 1) {
  for (const Step& step : network.plan().steps) {
    const bool last = at(step.output) + 1 == values_.size();
    if (!last) values_[at(step.output)] = output_of(step, ranges);
    if (step.pooled >= 0) values_[at(step.pooled)] = values_[at(step.output)];
    steps_.push_back(runs_in_eight_bits(step) ? std::optional(prepare(step, ranges, stream)) : std::nullopt);
  }
}

bool QuantizedNetwork::runs_in_eight_bits(const Step& step) const {
  const auto is_image = [&](int value) { return values_[at(value)].empty(); };
  if (std::any_of(step.inputs.begin(), step.inputs.end(), is_image)) return false;
  switch (step.kind) {
    case StepKind::conv:
    case StepKind::conv_transpose:
    case StepKind::norm_conv_relu: return true;
    case StepKind::batch_norm:
    case StepKind::max_pool:
    case StepKind::upsample_nearest:
    case StepKind::upsample_bilinear: break;
    case StepKind::concat:
      if (inputs_of(step).size() > kernels::Sources<std::uint8_t>::max_count) return false;
      break;
    case StepKind::conv_norm_relu:
    case StepKind::conv_norm_relu_pool:
    case StepKind::relu:
    case StepKind::add: return false;
  }
  return at(step.output) + 1 < values_.size();  // logits are f32, and only convolutions give them
}

std::vector<Channels> QuantizedNetwork::inputs_of(const Step& step) const {
  std::vector<Channels> all;
  for (const int value : step.inputs) all.insert(all.end(), values_[at(value)].begin(), values_[at(value)].end());
  return all;
}

std::vector<Channels> QuantizedNetwork::output_of(const Step& step, const Ranges& ranges) const {
  if (runs_in_eight_bits(step)) {
    switch (step.kind) {
      case StepKind::max_pool:
      case StepKind::upsample_nearest:
      case StepKind::upsample_bilinear:
      case StepKind::concat: return inputs_of(step);  // they keep what they are given
      default: break;
    }
  }
  const int channels = infer_outputs(network_.graph())[at(step.output - 1)].channels;
  const Layer& layer = layer_of(network_, step.output - 1);
  return {quantization_of(layer, channels, layer.kind == LayerKind::relu, ranges)};
}

QuantizedNetwork::EightBit QuantizedNetwork::prepare(const Step& step, const Ranges& ranges,
                                                     kernels::CpuStream& stream) const {
  EightBit prepared;
  Channels input = joined(inputs_of(step));
  if (step.norm >= 0) {
    const Layer& norm = layer_of(network_, step.norm);
    prepared.norm = prepare_norm(norm, input,
                                 step.kind == StepKind::batch_norm
                                     ? values_[at(step.output)].front()
                                     : quantization_of(norm, static_cast<int>(input.size()), false, ranges));
    input = prepared.norm->output;
  }
  if (step.conv >= 0) prepared.conv = prepare_conv(step, input, stream);
  return prepared;
}

QuantizedNetwork::Norm QuantizedNetwork::prepare_norm(const Layer& layer, const Channels& input,
                                                      Channels output) const {
  const auto part = [&](const char* name) {
    return network_.parameters().to_named(*network_.parameters().find(layer.name + name)).values;
  };
  const auto gamma = part(".weight");
  const auto beta = part(".bias");
  const auto mean = part(".running_mean");
  const auto variance = part(".running_var");
  Norm norm{{}, {}, std::move(output)};
  for (std::size_t c = 0; c < input.size(); ++c) {
    const float scale = gamma[c] / std::sqrt(variance[c] + layer.epsilon);
    const float factor = scale * input[c].scale;
    norm.factor.push_back(factor);
    norm.term.push_back(beta[c] - scale * mean[c] - factor * static_cast<float>(input[c].zero_point));
  }
  return norm;
}

kernels::QuantizedConv QuantizedNetwork::prepare_conv(const Step& step, const Channels& input,
                                                      kernels::CpuStream& stream) const {
  const Layer& layer = layer_of(network_, step.conv);
  const nn::Parameters& parameters = network_.parameters();
  kernels::ConvParameters conv;
  conv.weight = parameters.tensor(layer.name + ".weight").data<float>();
  if (layer.bias) conv.bias = parameters.tensor(layer.name + ".bias").data<float>();
  conv.geometry = {layer.kernel, layer.stride, layer.pad};
  conv.transposed = layer.kind == LayerKind::conv_transpose2d;
  conv.relu = step.relu;
  conv.out = layer.channels;
  return kernels::quantize_conv(conv, input, joined(values_[at(step.output)]), stream);
}

nn::Inputs QuantizedNetwork::run(const nn::Context& context, const Step& step, const EightBit& prepared,
                                 const std::vector<nn::Inputs>& values) const {
  nn::Inputs input;
  for (const int value : step.inputs) input.append(values[at(value)]);
  switch (step.kind) {
    case StepKind::concat: return input;
    case StepKind::upsample_nearest: return upsample(context, input, kernels::Interpolation::nearest);
    case StepKind::upsample_bilinear: return upsample(context, input, kernels::Interpolation::bilinear);
    case StepKind::max_pool: return resize(context, input, 1, 2, kernels::quantized_max_pool);
    default: break;
  }
  if (prepared.norm) {
    const Norm& norm = *prepared.norm;
    input =
        join<std::uint8_t>(context, input, [&](auto image, auto from, std::size_t first, kernels::CpuStream& stream) {
          const auto own = [&](const auto& all) { return std::span(all).subspan(first, at(image.c)); };
          kernels::requantize<std::uint8_t>(image, own(norm.output), from, own(norm.factor), own(norm.term), stream);
        });
  }
  if (!prepared.conv) return input;
  return convolve(context, input, *prepared.conv, layer_of(network_, step.conv).name, values_[at(step.output)].empty());
}

void QuantizedNetwork::run_real(std::vector<nn::Inputs>& values, const nn::Context& context, std::size_t i) const {
  const Step& step = network_.plan().steps[i];
  std::vector<nn::Inputs> reals(values.size());
  for (const int value : step.inputs) {
    const auto& from = values_[at(value)];
    reals[at(value)] = from.empty() ? values[at(value)] : dequantize(context, values[at(value)], from);
  }
  network_.run_step(reals, context, i);
  for (const int value : {step.output, step.pooled}) {
    if (value < 0) continue;
    const auto& to = values_[at(value)];
    values[at(value)] = to.empty() ? reals[at(value)] : quantize(context, reals[at(value)], to.front());
  }
}

nn::Tensor QuantizedNetwork::operator()(const nn::Context& context, const nn::Tensor& images) const {
  network_.require_fit(images.shape());
  std::vector<nn::Inputs> values(values_.size());
  values[0] = images;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const Step& step = network_.plan().steps[i];
    if (steps_[i]) {
      values[at(step.output)] = run(context, step, *steps_[i], values);
    } else {
      run_real(values, context, i);
    }
    for (const int value : step.done) values[at(value)] = {};
  }
  return nn::concat(context, values.back());
}

}  // namespace plume::unet
