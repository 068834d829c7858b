// A network in 8 bits for inference on the CPU: images stay u8 from layer to layer (kernels/quantized.hpp).
#pragma once

#include <optional>
#include <vector>

#include "kernels/quantized.hpp"
#include "nn/context.hpp"
#include "unet/network.hpp"
#include "unet/ranges.hpp"

namespace plume::unet {

// Convolutions, normalisations, pooling, upsampling and concatenations run in 8 bits. Steps that read the image, which is f32,
// and whatever else there is (additions, say) run as the network's own steps, in f32, and their output is quantised.
class QuantizedNetwork {
 public:
  // network: f32, for the CPU, without the normalisations that fold away (fold_norms.hpp); it must outlive this. Weights are
  // quantised and packed here, on `stream`. Throws input_error where a layer has no range.
  QuantizedNetwork(const Network& network, const Ranges& ranges, kernels::CpuStream& stream);

  // As Network's.
  [[nodiscard]] nn::Tensor operator()(const nn::Context& context, const nn::Tensor& images) const;

 private:
  using Channels = std::vector<kernels::Quantization>;  // one for each

  // A normalisation of 8-bit values: q of (q of the input * factor + term), by channel.
  struct Norm {
    std::vector<float> factor;
    std::vector<float> term;
    Channels output;
  };
  // What a step does in 8 bits; neither: its kind says all.
  struct EightBit {
    std::optional<Norm> norm;
    std::optional<kernels::QuantizedConv> conv;
  };

  [[nodiscard]] bool runs_in_eight_bits(const Step& step) const;
  // Of all values that a step reads, part by part.
  [[nodiscard]] std::vector<Channels> inputs_of(const Step& step) const;
  [[nodiscard]] std::vector<Channels> output_of(const Step& step, const Ranges& ranges) const;
  [[nodiscard]] EightBit prepare(const Step& step, const Ranges& ranges, kernels::CpuStream& stream) const;
  [[nodiscard]] Norm prepare_norm(const Layer& layer, const Channels& input, Channels output) const;
  [[nodiscard]] kernels::QuantizedConv prepare_conv(const Step& step, const Channels& input,
                                                    kernels::CpuStream& stream) const;

  [[nodiscard]] nn::Inputs run(const nn::Context& context, const Step& step, const EightBit& prepared,
                               const std::vector<nn::Inputs>& values) const;
  // Step i of the plan in f32, into its values' places.
  void run_real(std::vector<nn::Inputs>& values, const nn::Context& context, std::size_t i) const;

  const Network& network_;
  std::vector<std::vector<Channels>> values_;   // by value, for each of its tensors; none where it is f32
  std::vector<std::optional<EightBit>> steps_;  // by step of the plan; none: in f32
};

}  // namespace plume::unet
