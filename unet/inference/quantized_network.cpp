// Carries a quantised plan out, step by step.
#include "unet/inference/quantized_network.hpp"

#include <span>
#include <string>
#include <variant>

#include "kernels/profile.hpp"
#include "kernels/upsample.hpp"
#include "nn/ops/ops.hpp"

namespace plume::unet {
namespace {

std::size_t at(int i) {
  return static_cast<std::size_t>(i);
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
  nn::Tensor joined = bytes(context, parts.shape(), parts.front().name());
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

nn::Tensor quantize(const nn::Context& context, const nn::Inputs& parts, const std::vector<kernels::Quantization>& to) {
  const std::vector<float> one(to.size(), 1.0F);
  const std::vector<float> zero(to.size());
  return join<float>(context, parts, [&](auto image, auto from, std::size_t first, kernels::CpuStream& stream) {
    kernels::requantize<float>(image, std::span(to).subspan(first, at(image.c)), from, one, zero, stream);
  });
}

nn::Inputs dequantize(const nn::Context& context, const nn::Inputs& parts, const std::vector<QuantizedChannels>& from) {
  nn::Inputs reals;
  auto channels = from.begin();
  for (const nn::Tensor& part : parts) {
    const nn::Tensor real = context.allocate(part.shape(), DType::f32, part.name());
    on_cpu(context, [&](kernels::CpuStream& stream) {
      kernels::dequantize(real.image<float>(), part.image<std::uint8_t>(), channels->quantization, stream);
    });
    reals.append(real);
    ++channels;
  }
  return reals;
}

nn::Tensor normalize(const nn::Context& context, const nn::Inputs& input, const QuantizedNorm& norm) {
  return join<std::uint8_t>(context, input, [&](auto image, auto from, std::size_t first, kernels::CpuStream& stream) {
    const auto own = [&](const auto& all) { return std::span(all).subspan(first, at(image.c)); };
    kernels::requantize<std::uint8_t>(image, own(norm.output), from, own(norm.factor), own(norm.term), stream);
  });
}

nn::Shape output_shape(const kernels::QuantizedConv& conv, const nn::Shape& in) {
  const kernels::ConvGeometry& g = conv.geometry;
  if (conv.transposed) return {in.n, g.transposed_rows(in.h), g.transposed_columns(in.w), conv.out};
  return {in.n, g.output_rows(in.h), g.output_columns(in.w), conv.out};
}

// By the definition, as nn counts them for f32 (nn/ops/flops.hpp).
double flops_of(const kernels::QuantizedConv& conv, const nn::Shape& in) {
  const nn::Shape positions = conv.transposed ? in : output_shape(conv, in);
  const double taps = static_cast<double>(conv.geometry.kernel) * conv.geometry.kernel;
  return 2 * taps * conv.in * conv.out * static_cast<double>(positions.count()) / positions.c;
}

nn::Tensor convolve(const nn::Context& context, const nn::Inputs& input, const kernels::QuantizedConv& conv,
                    const std::string& name, bool real) {
  nn::Tensor output = context.allocate(output_shape(conv, input.shape()), real ? DType::f32 : DType::u8, name);
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

void QuantizedNetwork::run(std::vector<nn::Inputs>& values, const nn::Context& context, std::size_t i) const {
  const Step& step = network_.plan().steps[i];
  const auto& [norm, conv] = *plan_.steps[i];
  nn::Inputs input;
  for (const int value : step.inputs) input.append(values[at(value)]);
  nn::Inputs& output = values[at(step.output)];
  const std::string& name = network_.graph().layers[at(step.conv >= 0 ? step.conv : step.output - 1)].name;
  const kernels::ProfileRange range(context.stream, name, "forward", conv ? flops_of(*conv, input.shape()) : 0);
  switch (step.kind) {
    case StepKind::concat: output = input; return;
    case StepKind::upsample_nearest: output = upsample(context, input, kernels::Interpolation::nearest); return;
    case StepKind::upsample_bilinear: output = upsample(context, input, kernels::Interpolation::bilinear); return;
    case StepKind::max_pool: output = resize(context, input, 1, 2, kernels::quantized_max_pool); return;
    default: break;
  }
  if (norm) input = normalize(context, input, *norm);
  if (conv) input = convolve(context, input, *conv, name, plan_.values[at(step.output)].empty());
  output = input;
}

void QuantizedNetwork::run_real(std::vector<nn::Inputs>& values, const nn::Context& context, std::size_t i) const {
  const Step& step = network_.plan().steps[i];
  std::vector<nn::Inputs> reals(values.size());
  for (const int value : step.inputs) {
    const auto& from = plan_.values[at(value)];
    reals[at(value)] = from.empty() ? values[at(value)] : dequantize(context, values[at(value)], from);
  }
  network_.run_step(reals, context, i);
  for (const int value : {step.output, step.pooled}) {
    if (value < 0) continue;
    const auto& to = plan_.values[at(value)];
    values[at(value)] = to.empty() ? reals[at(value)] : quantize(context, reals[at(value)], to.front().quantization);
  }
}

nn::Tensor QuantizedNetwork::operator()(const nn::Context& context, const nn::Tensor& images) const {
  network_.require_fit(images.shape());
  std::vector<nn::Inputs> values(plan_.values.size());
  values[0] = images;
  for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
    if (plan_.steps[i]) {
      run(values, context, i);
    } else {
      run_real(values, context, i);
    }
    for (const int value : network_.plan().steps[i].done) values[at(value)] = {};
  }
  return nn::concat(context, values.back());
}

}  // namespace plume::unet
