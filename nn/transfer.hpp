// A tensor's values on the host, as float.
#pragma once

#include <vector>

#include "kernels/stream.hpp"
#include "nn/tensor.hpp"

namespace plume::nn {

// Row-major NHWC, as many as the shape says; rounded where the tensor is bf16. The values may go when it returns.
void upload(const Tensor& tensor, const float* values, kernels::Stream& stream);

// Waits for the stream's earlier work.
[[nodiscard]] std::vector<float> download(const Tensor& tensor, kernels::Stream& stream);

}  // namespace plume::nn
