// The training loss: a weighted sum of pixelwise terms whose gradient starts the backward pass.
#pragma once

#include <cstdint>
#include <string_view>

#include "nn/context.hpp"
#include "nn/tensor.hpp"

namespace plume::nn {

// Cross-entropy is binary for one channel of logits and softmax for more; Dice likewise (kernels/loss.hpp).
struct LossSettings {
  double cross_entropy = 1;
  double dice = 0;
  double dice_smooth = 1;
};

// Labels are class indices, dense NHW, 255 = ignore; weights (dense NHW, f64 with logits in f64, else f32) may be empty.
// All in the stream's memory.
struct Targets {
  const std::uint8_t* labels = nullptr;
  const void* weights = nullptr;
};

// *value, in the stream's memory, = the loss of a batch; with a tape in the context, scale * its gradient is put into the
// logits'. At least one term must have a weight.
void loss(const Context& context, double* value, const Tensor& logits, const Targets& targets,
          const LossSettings& settings, double scale = 1);

// The same, waiting for the value.
[[nodiscard]] double loss(const Context& context, const Tensor& logits, const Targets& targets,
                          const LossSettings& settings, double scale = 1);

}  // namespace plume::nn
