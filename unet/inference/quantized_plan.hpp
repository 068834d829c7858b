// How a network runs in 8 bits: how its values are kept, and what each step of its plan does to them.
#pragma once

#include <optional>
#include <vector>

#include "kernels/quantized.hpp"
#include "unet/inference/network.hpp"
#include "unet/inference/ranges.hpp"

namespace plume::unet {

// A tensor of u8, by channel.
struct QuantizedChannels {
  std::vector<kernels::Quantization> quantization;
  std::vector<float> rms;  // of the values, as calibration saw them
};

// A normalisation: q of (q of the input * factor + term), by channel.
struct QuantizedNorm {
  std::vector<float> factor;
  std::vector<float> term;
  std::vector<kernels::Quantization> output;
};

// What a step does; where it has neither, its kind says all.
struct QuantizedStep {
  std::optional<QuantizedNorm> norm;
  std::optional<kernels::QuantizedConv> conv;
};

struct QuantizedPlan {
  std::vector<std::vector<QuantizedChannels>> values;  // by value, for each of its tensors; none where it is f32
  std::vector<std::optional<QuantizedStep>> steps;     // by step of the network's plan; none: it runs in f32
};

// Convolutions, normalisations, pooling, upsampling and concatenations run in 8 bits. In f32, with the output
// quantised, run steps that read the image (which is f32), additions and other rare ones, and a convolution whose
// weights 8 bits would spoil (weight_noise): behind channels of rare large values, steps are too coarse for the others.
// network: f32, for the CPU, without the normalisations that fold away (fold_norms.hpp). Weights are quantised and
// packed here, on `stream`. Throws input_error where a layer has no range.
[[nodiscard]] QuantizedPlan make_quantized_plan(const Network& network, const Ranges& ranges,
                                                kernels::CpuStream& stream);

// What rounding weights to 8 bits adds to a convolution's output, as a share of that output, both as root mean squares,
// for independent inputs of the given rms.
[[nodiscard]] double weight_noise(const kernels::ConvParameters& conv, const QuantizedChannels& input);

}  // namespace plume::unet
