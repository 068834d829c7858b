// The training loss: a weighted sum of terms whose gradient starts the backward pass.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "kernels/loss.hpp"
#include "nn/context.hpp"
#include "nn/tensor.hpp"

namespace plume::nn {

// Weights of the terms, then what shapes them; kernels/loss.hpp has the terms, which of several channels are those of
// the softmax.
struct LossSettings {
  double cross_entropy = 1;
  double dice = 0;
  double focal = 0;
  double tversky = 0;
  double lovasz = 0;
  double ordinal = 0;  // of two channels to kernels::most_ordinal_classes

  double dice_smooth = 1;
  double label_smoothing = 0;  // of the cross-entropy
  double focal_gamma = 2;
  kernels::TverskySettings tversky_shape{.alpha = 0.3, .beta = 0.7};
};

// Labels are class indices, dense NHW, 255 = ignore; weights (dense NHW, f64 with logits in f64, else f32) may be
// empty, as may those of classes (kernels/loss.hpp), by which the terms that are means over pixels are taken, and soft
// targets, of one channel. All in the stream's memory.
struct Targets {
  const std::uint8_t* labels = nullptr;
  const void* weights = nullptr;
  const void* class_weights = nullptr;
  const void* soft = nullptr;
};

// *value, in the stream's memory, = the loss of a batch; with a tape in the context, scale * its gradient is put into
// the logits'. At least one term must have a weight.
void loss(const Context& context, double* value, const Tensor& logits, const Targets& targets,
          const LossSettings& settings, double scale = 1);

// The same, waiting for the value.
[[nodiscard]] double loss(const Context& context, const Tensor& logits, const Targets& targets,
                          const LossSettings& settings, double scale = 1);

// Deep supervision: of logits at several sizes, the first of the labels' and others that are halved and halved again,
// each has a loss of its own against labels that are as coarse, and they count in proportion to their height.
// Source: Isensee et al., "nnU-Net", Nature Methods 2021. values: one for each, in the stream's memory; targets without
// weights of pixels.
void deep_loss(const Context& context, double* values, std::span<const Tensor> logits, const Targets& targets,
               const LossSettings& settings, double scale = 1);

// How much each counts, given their heights; the sum is 1.
[[nodiscard]] std::vector<double> deep_loss_weights(const std::vector<int>& heights);

}  // namespace plume::nn
