// A network in 8 bits for inference on the CPU: images stay u8 from layer to layer (kernels/quantized.hpp).
#pragma once

#include <vector>

#include "nn/context.hpp"
#include "unet/inference/network.hpp"
#include "unet/inference/quantized_plan.hpp"
#include "unet/inference/ranges.hpp"

namespace plume::unet {

class QuantizedNetwork {
 public:
  // As make_quantized_plan; the network must outlive this.
  QuantizedNetwork(const Network& network, const Ranges& ranges, kernels::CpuStream& stream)
      : network_(network), plan_(make_quantized_plan(network, ranges, stream)) {}

  // As Network's.
  [[nodiscard]] nn::Tensor operator()(const nn::Context& context, const nn::Tensor& images) const;

 private:
  // Step i of the plan, in 8 bits or in f32, into its values' places.
  void run(std::vector<nn::Inputs>& values, const nn::Context& context, std::size_t i) const;
  void run_real(std::vector<nn::Inputs>& values, const nn::Context& context, std::size_t i) const;

  const Network& network_;
  QuantizedPlan plan_;
};

}  // namespace plume::unet
