// Layers with parameters: plain structs of tensors and settings, applied by the operations in nn/ops.
#pragma once

#include "kernels/batch_norm.hpp"
#include "kernels/convolution.hpp"
#include "nn/tensor.hpp"

namespace plume::nn {

// weight {kernel, kernel, in, out}; bias {1, 1, 1, out} or empty. A transposed convolution has the same form.
struct Conv {
  Tensor weight;
  Tensor bias;
  kernels::ConvGeometry geometry;
};

// All tensors {1, 1, 1, c}; the running statistics have no gradient.
struct BatchNorm {
  Tensor gamma;
  Tensor beta;
  Tensor running_mean;
  Tensor running_var;
  kernels::NormSettings settings;
};

}  // namespace plume::nn
