#include "unet/quantized_network.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <variant>

#include "kernels/base/error.hpp"
#include "kernels/upsample.hpp"
#include "nn/ops/ops.hpp"

namespace plume::unet {
namespace {

using kernels::Quantization;
using kernels::QuantizedSource;

std::size_t at(int i) {
  return static_cast<std::size_t>(i);
}

const Layer& layer_of(const Network& network, int index) {
  return network.graph().layers[at(index)];
}

Quantization quantization_of(const Layer& layer, const Ranges& ranges) {
  const auto found = ranges.find(layer.name);
  if (found == ranges.end()) {
    throw input_error("no range of layer {}, which int8 needs; run `plume quantize` on this model", layer.name);
  }
  return kernels::quantization_of(found->second.low, found->second.high);
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

nn::Tensor quantize(const nn::Context& context, const nn::Inputs& parts, Quantization to) {
  const std::vector<float> one(at(parts.shape().c), 1.0F);
  const std::vector<float> zero(one.size());
  return join<float>(context, parts, [&](auto image, auto from, std::size_t, kernels::CpuStream& stream) {
    kernels::requantize<float>(image, to, from, one, zero, false, stream);
  });
}

nn::Inputs dequantize(const nn::Context& context, const nn::Inputs& parts,
                      const std::vector<QuantizedSource>& sources) {
  nn::Inputs reals;
  auto source = sources.begin();
  for (const nn::Tensor& part : parts) {
    const nn::Tensor real = context.allocate(part.shape(), DType::f32, part.name());
    on_cpu(context, [&](kernels::CpuStream& stream) {
      kernels::dequantize(real.image<float>(), part.image<std::uint8_t>(), source->quantization, stream);
    });
    reals.append(real);
    ++source;
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
    : network_(network), sources_(network.graph().layers.size() + 1) {
  for (const Step& step : network.plan().steps) {
    const bool last = at(step.output) + 1 == sources_.size();
    const bool eight_bit = runs_in_eight_bits(step);
    if (!last) sources_[at(step.output)] = output_of(step, ranges);
    if (step.pooled >= 0) sources_[at(step.pooled)] = sources_[at(step.output)];
    steps_.push_back(eight_bit ? std::optional(prepare(step, ranges, stream)) : std::nullopt);
  }
}

bool QuantizedNetwork::runs_in_eight_bits(const Step& step) const {
  const auto is_image = [&](int value) { return sources_[at(value)].empty(); };
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
      if (sources_of(step).size() > kernels::Sources<std::uint8_t>::max_count) return false;
      break;
    case StepKind::conv_norm_relu:
    case StepKind::conv_norm_relu_pool:
    case StepKind::relu:
    case StepKind::add: return false;
  }
  return at(step.output) + 1 < sources_.size();  // logits are f32, and only convolutions give them
}

QuantizedNetwork::Sources QuantizedNetwork::sources_of(const Step& step) const {
  Sources all;
  for (const int value : step.inputs) {
    const Sources& sources = sources_[at(value)];
    all.insert(all.end(), sources.begin(), sources.end());
  }
  return all;
}

QuantizedNetwork::Sources QuantizedNetwork::output_of(const Step& step, const Ranges& ranges) const {
  if (runs_in_eight_bits(step)) {
    switch (step.kind) {
      case StepKind::max_pool:
      case StepKind::upsample_nearest:
      case StepKind::upsample_bilinear:
      case StepKind::concat: return sources_of(step);  // they keep what they are given
      default: break;
    }
  }
  const int channels = infer_outputs(network_.graph())[at(step.output - 1)].channels;
  return {{channels, quantization_of(layer_of(network_, step.output - 1), ranges)}};
}

QuantizedNetwork::EightBit QuantizedNetwork::prepare(const Step& step, const Ranges& ranges,
                                                     kernels::CpuStream& stream) const {
  EightBit prepared;
  Sources sources = sources_of(step);
  if (step.norm >= 0) {
    const Layer& norm = layer_of(network_, step.norm);
    const bool alone = step.kind == StepKind::batch_norm;
    prepared.norm = prepare_norm(
        norm, sources, alone ? sources_[at(step.output)].front().quantization : quantization_of(norm, ranges));
    prepared.norm->relu = alone && step.relu;
    sources = {{static_cast<int>(prepared.norm->factor.size()), prepared.norm->output}};
  }
  if (step.conv >= 0) prepared.conv = prepare_conv(step, sources, stream);
  return prepared;
}

QuantizedNetwork::Norm QuantizedNetwork::prepare_norm(const Layer& layer, const Sources& sources,
                                                      Quantization output) const {
  const auto part = [&](const char* name) {
    return network_.parameters().to_named(*network_.parameters().find(layer.name + name)).values;
  };
  const auto gamma = part(".weight");
  const auto beta = part(".bias");
  const auto mean = part(".running_mean");
  const auto variance = part(".running_var");
  Norm norm{{}, {}, output, false};
  for (const QuantizedSource& source : sources) {
    for (int c = 0; c < source.channels; ++c) {
      const std::size_t i = norm.factor.size();
      const float scale = gamma[i] / std::sqrt(variance[i] + layer.epsilon);
      const float factor = scale * source.quantization.scale;
      norm.factor.push_back(factor);
      norm.term.push_back(beta[i] - scale * mean[i] - factor * static_cast<float>(source.quantization.zero_point));
    }
  }
  return norm;
}

kernels::QuantizedConv QuantizedNetwork::prepare_conv(const Step& step, const Sources& sources,
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
  const Sources& output = sources_[at(step.output)];
  return kernels::quantize_conv(conv, sources, output.empty() ? nullptr : &output.front().quantization, stream);
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
          const auto channels = static_cast<std::size_t>(image.c);
          kernels::requantize<std::uint8_t>(image, norm.output, from, std::span(norm.factor).subspan(first, channels),
                                            std::span(norm.term).subspan(first, channels), norm.relu, stream);
        });
  }
  if (!prepared.conv) return input;
  return convolve(context, input, *prepared.conv, layer_of(network_, step.conv).name,
                  sources_[at(step.output)].empty());
}

void QuantizedNetwork::run_real(std::vector<nn::Inputs>& values, const nn::Context& context, std::size_t i) const {
  const Step& step = network_.plan().steps[i];
  std::vector<nn::Inputs> reals(values.size());
  for (const int value : step.inputs) {
    const Sources& sources = sources_[at(value)];
    reals[at(value)] = sources.empty() ? values[at(value)] : dequantize(context, values[at(value)], sources);
  }
  network_.run_step(reals, context, i);
  for (const int value : {step.output, step.pooled}) {
    if (value < 0) continue;
    const Sources& sources = sources_[at(value)];
    values[at(value)] =
        sources.empty() ? reals[at(value)] : quantize(context, reals[at(value)], sources.front().quantization);
  }
}

nn::Tensor QuantizedNetwork::operator()(const nn::Context& context, const nn::Tensor& images) const {
  network_.require_fit(images.shape());
  std::vector<nn::Inputs> values(sources_.size());
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
