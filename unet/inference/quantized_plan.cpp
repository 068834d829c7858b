// Plans a network's 8-bit form in the order of its steps: each needs to know how its inputs are kept.
#include "unet/inference/quantized_plan.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "kernels/base/error.hpp"

namespace plume::unet {
namespace {

// The least range of a channel, as a share of the tensor's widest: one that calibration hardly saw alive may be so later.
constexpr float least_share = 1.0F / 256;

// A trained U-Net's convolutions have 0.01 to 0.025; those of NASA's models behind the channels in question 0.05 and 0.1.
constexpr double largest_noise = 0.04;

std::size_t at(int i) {
  return static_cast<std::size_t>(i);
}

QuantizedChannels joined(const std::vector<QuantizedChannels>& parts) {
  QuantizedChannels all;
  for (const auto& [quantization, rms] : parts) {
    all.quantization.insert(all.quantization.end(), quantization.begin(), quantization.end());
    all.rms.insert(all.rms.end(), rms.begin(), rms.end());
  }
  return all;
}

class Planner {
 public:
  Planner(const Network& network, const Ranges& ranges, kernels::CpuStream& stream)
      : network_(network), ranges_(ranges), stream_(stream), outputs_(infer_outputs(network.graph())) {
    plan_.values.resize(outputs_.size() + 1);
  }

  QuantizedPlan make() {
    for (const Step& step : network_.plan().steps) {
      const bool eight_bit = runs_in_eight_bits(step);
      auto& output = plan_.values[at(step.output)];
      if (!is_last(step)) output = output_of(step, eight_bit);
      if (step.pooled >= 0) plan_.values[at(step.pooled)] = output;
      plan_.steps.push_back(eight_bit ? std::optional(prepare(step)) : std::nullopt);
    }
    return std::move(plan_);
  }

 private:
  [[nodiscard]] const Layer& layer(int index) const { return network_.graph().layers[at(index)]; }
  [[nodiscard]] bool is_last(const Step& step) const { return at(step.output) + 1 == plan_.values.size(); }

  [[nodiscard]] bool runs_in_eight_bits(const Step& step) const {
    const auto is_real = [&](int value) { return plan_.values[at(value)].empty(); };
    if (std::any_of(step.inputs.begin(), step.inputs.end(), is_real)) return false;
    switch (step.kind) {
      case StepKind::conv:
      case StepKind::conv_transpose:
      case StepKind::norm_conv_relu: return weight_noise(parameters_of(step), input_of_conv(step)) <= largest_noise;
      case StepKind::concat:
        if (inputs_of(step).size() > kernels::Sources<std::uint8_t>::max_count) return false;
        break;
      case StepKind::batch_norm:
      case StepKind::max_pool:
      case StepKind::upsample_nearest:
      case StepKind::upsample_bilinear: break;
      case StepKind::conv_norm_relu:
      case StepKind::conv_norm_relu_pool:
      case StepKind::upsample_aligned:
      case StepKind::relu:
      case StepKind::add: return false;
    }
    return !is_last(step);  // logits are f32, and only convolutions give them
  }

  // Of all values that a step reads, part by part.
  [[nodiscard]] std::vector<QuantizedChannels> inputs_of(const Step& step) const {
    std::vector<QuantizedChannels> all;
    for (const int value : step.inputs) {
      const auto& parts = plan_.values[at(value)];
      all.insert(all.end(), parts.begin(), parts.end());
    }
    return all;
  }

  [[nodiscard]] QuantizedChannels input_of_conv(const Step& step) const {
    return step.norm >= 0 ? channels_of(step.norm) : joined(inputs_of(step));
  }

  [[nodiscard]] std::vector<QuantizedChannels> output_of(const Step& step, bool eight_bit) const {
    switch (step.kind) {
      case StepKind::max_pool:
      case StepKind::upsample_nearest:
      case StepKind::upsample_bilinear:
      case StepKind::concat:
        if (eight_bit) return inputs_of(step);  // they keep what they are given
        break;
      default: break;
    }
    return {channels_of(step.output - 1)};
  }

  // How what a layer yields is kept.
  [[nodiscard]] QuantizedChannels channels_of(int index) const {
    const std::string& name = layer(index).name;
    const auto found = ranges_.find(name);
    if (found == ranges_.end() || std::ssize(found->second) != outputs_[at(index)].channels) {
      throw input_error("no ranges of layer {}, which int8 needs; run `plume quantize` on this model", name);
    }
    float widest = 0;
    for (const Range& range : found->second) widest = std::max(widest, range.high - range.low);
    QuantizedChannels channels;
    for (const Range& range : found->second) {
      const float low = layer(index).kind == LayerKind::relu ? 0 : range.low;
      const float high = std::max(range.high, low + widest * least_share);
      channels.quantization.push_back(kernels::quantization_of(low, high));
      channels.rms.push_back(range.rms);
    }
    return channels;
  }

  [[nodiscard]] QuantizedStep prepare(const Step& step) const {
    QuantizedStep prepared;
    if (step.norm >= 0) {
      const auto& output =
          step.kind == StepKind::batch_norm ? plan_.values[at(step.output)].front() : channels_of(step.norm);
      prepared.norm = prepare_norm(layer(step.norm), joined(inputs_of(step)).quantization, output.quantization);
    }
    if (step.conv >= 0) {
      prepared.conv = kernels::quantize_conv(parameters_of(step), input_of_conv(step).quantization,
                                             joined(plan_.values[at(step.output)]).quantization, stream_);
    }
    return prepared;
  }

  [[nodiscard]] QuantizedNorm prepare_norm(const Layer& norm, const std::vector<kernels::Quantization>& input,
                                           std::vector<kernels::Quantization> output) const {
    const auto part = [&](const char* name) {
      return network_.parameters().to_named(*network_.parameters().find(norm.name + name)).values;
    };
    const auto gamma = part(".weight");
    const auto beta = part(".bias");
    const auto mean = part(".running_mean");
    const auto variance = part(".running_var");
    QuantizedNorm prepared{{}, {}, std::move(output)};
    for (std::size_t c = 0; c < input.size(); ++c) {
      const float scale = gamma[c] / std::sqrt(variance[c] + norm.epsilon);
      const float factor = scale * input[c].scale;
      prepared.factor.push_back(factor);
      prepared.term.push_back(beta[c] - scale * mean[c] - factor * static_cast<float>(input[c].zero_point));
    }
    return prepared;
  }

  [[nodiscard]] kernels::ConvParameters parameters_of(const Step& step) const {
    const Layer& conv = layer(step.conv);
    const nn::Parameters& parameters = network_.parameters();
    return {.weight = parameters.tensor(conv.name + ".weight").data<float>(),
            .bias = conv.bias ? parameters.tensor(conv.name + ".bias").data<float>() : nullptr,
            .geometry = {conv.kernel, conv.stride, conv.pad},
            .transposed = conv.kind == LayerKind::conv_transpose2d,
            .relu = step.relu,
            .out = conv.channels};
  }

  const Network& network_;
  const Ranges& ranges_;
  kernels::CpuStream& stream_;
  std::vector<LayerOutput> outputs_;  // by layer
  QuantizedPlan plan_;
};

}  // namespace

QuantizedPlan make_quantized_plan(const Network& network, const Ranges& ranges, kernels::CpuStream& stream) {
  return Planner(network, ranges, stream).make();
}

double weight_noise(const kernels::ConvParameters& conv, const QuantizedChannels& input) {
  constexpr double steps = 127;  // from 0 to the largest weight
  const std::size_t in = input.rms.size();
  const auto out = static_cast<std::size_t>(conv.out);
  const auto taps = static_cast<std::size_t>(conv.geometry.kernel) * static_cast<std::size_t>(conv.geometry.kernel);
  std::vector<double> largest(out);  // weight, in units of its input's steps
  double output = 0;                 // sums of squares
  double noise = 0;
  for (std::size_t tap = 0; tap < taps; ++tap) {
    for (std::size_t i = 0; i < in; ++i) {
      const auto scale = static_cast<double>(input.quantization[i].scale);
      const auto rms = static_cast<double>(input.rms[i]);
      for (std::size_t o = 0; o < out; ++o) {
        const double weight = std::abs(static_cast<double>(conv.weight[(tap * in + i) * out + o]));
        largest[o] = std::max(largest[o], weight * scale);
        output += weight * rms * weight * rms;
      }
    }
  }
  double input_squares = 0;  // of all that one output reads, in steps
  for (std::size_t i = 0; i < in; ++i) {
    const double q = static_cast<double>(input.rms[i]) / static_cast<double>(input.quantization[i].scale);
    input_squares += static_cast<double>(taps) * q * q;
  }
  // A rounding error is uniform over a step, so that its mean square is a twelfth of the step's.
  for (const double weight : largest) noise += weight / steps * weight / steps / 12 * input_squares;
  return output > 0 ? std::sqrt(noise / output) : 0;
}

}  // namespace plume::unet
