// Images of any size for networks that halve them: padded at the bottom and right with their last row and column, and
// what comes of them cropped again.
#pragma once

#include <vector>

#include "nn/tensor.hpp"

namespace plume::unet {

// The least multiple that is not smaller.
[[nodiscard]] constexpr int round_up(int size, int multiple) {
  return (size + multiple - 1) / multiple * multiple;
}

// The shape with height and width rounded up to `multiple` (size_multiple of a graph).
[[nodiscard]] nn::Shape padded_shape(const nn::Shape& images, int multiple);

// Dense images of shape `from`, as `to`, which is higher and wider.
[[nodiscard]] std::vector<float> pad(const float* values, const nn::Shape& from, const nn::Shape& to);

// height x width of each of dense images, from a row and a column on.
[[nodiscard]] std::vector<float> crop(const std::vector<float>& values, const nn::Shape& whole, int height, int width,
                                      int row = 0, int column = 0);

}  // namespace plume::unet
