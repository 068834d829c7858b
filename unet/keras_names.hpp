// What Keras and PyTorch keep in different ways, of layers that compute the same: names, layouts and padding.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace plume::unet {

// Weights of a batch normalisation, in Keras's order: ours (PyTorch's), Keras's.
inline constexpr std::pair<std::string_view, std::string_view> keras_norm_names[] = {
    {"weight", "gamma"}, {"bias", "beta"}, {"running_mean", "moving_mean"}, {"running_var", "moving_variance"}};

// 'same', for sizes that the stride divides: {top, left, bottom, right}; see import_keras.hpp, "Padding".
[[nodiscard]] constexpr std::array<int, 4> keras_same_padding(int kernel, int stride) {
  const int total = std::max(kernel - stride, 0);
  const int before = total / 2;
  return {before, before, total - before, total - before};
}

// Kernels (h, w, b, a) in Keras are (a, b, h, w) in PyTorch. Keras keeps (h, w, in, out) for a convolution and
// (h, w, out, in) for a transposed one, so the one permutation serves both. shape: PyTorch's.
[[nodiscard]] std::vector<float> from_keras_kernel(const std::vector<float>& keras,
                                                   const std::vector<std::int64_t>& shape);
[[nodiscard]] std::vector<float> to_keras_kernel(const std::vector<float>& torch,
                                                 const std::vector<std::int64_t>& shape);

}  // namespace plume::unet
