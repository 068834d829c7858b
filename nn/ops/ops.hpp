// The operations: each computes its output at once and, where the context has a tape, records what backward needs.
// Images are NHWC; concatenated inputs are read without a copy.
#pragma once

#include "kernels/upsample.hpp"
#include "nn/context.hpp"
#include "nn/modules.hpp"
#include "nn/tensor.hpp"

namespace plume::nn {

// {n, h', w', out} with h' = (h + pad - kernel) / stride + 1
[[nodiscard]] Tensor conv2d(const Context& context, const Inputs& x, const Conv& conv, bool relu = false);

// {n, h', w', out} with h' = (h - 1) * stride + kernel - crop
[[nodiscard]] Tensor conv_transpose2d(const Context& context, const Inputs& x, const Conv& conv, bool relu = false);

// One tensor with all of x's channels, normalised; then ReLU where asked. sole_use: nothing else reads x.
[[nodiscard]] Tensor batch_norm(const Context& context, const Inputs& x, const BatchNorm& norm, bool relu = false,
                                bool sole_use = false);

// The classic unit: convolution, normalisation, ReLU.
[[nodiscard]] Tensor conv_norm_relu(const Context& context, const Inputs& x, const Conv& conv, const BatchNorm& norm);

// The same at the end of an encoder's level, with its output max-pooled in the same pass.
struct Pooled {
  Tensor y;
  Tensor pooled;
};
[[nodiscard]] Pooled conv_norm_relu_pool(const Context& context, const Inputs& x, const Conv& conv,
                                         const BatchNorm& norm);

// The pixel-detector's unit: normalisation, convolution, ReLU. last_use: nothing reads x later, so that without a tape it is
// normalised where it is.
[[nodiscard]] Tensor norm_conv_relu(const Context& context, const Inputs& x, const BatchNorm& norm, const Conv& conv,
                                    bool last_use = false);

// A decoder's entry: x enlarged by a transposed convolution beside the skip, in the given order, not copied together.
enum class SkipOrder { skip_first, up_first };
[[nodiscard]] Inputs up_concat(const Context& context, const Inputs& x, const Conv& up, const Inputs& skip,
                               SkipOrder order, bool relu = false);

[[nodiscard]] Tensor relu(const Context& context, const Tensor& x);
[[nodiscard]] Tensor sigmoid(const Context& context, const Tensor& x);
[[nodiscard]] Tensor softmax(const Context& context, const Tensor& x);
[[nodiscard]] Tensor max_pool(const Context& context, const Tensor& x);
[[nodiscard]] Tensor upsample(const Context& context, const Tensor& x, kernels::Interpolation interpolation);
[[nodiscard]] Tensor add(const Context& context, const Tensor& a, const Tensor& b);

// One tensor with the inputs' channels side by side, for an operation that reads only one; a single input is itself.
[[nodiscard]] Tensor concat(const Context& context, const Inputs& x);

}  // namespace plume::nn
