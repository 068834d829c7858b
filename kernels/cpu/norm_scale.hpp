// A normalisation as one multiplication and one addition per value. Forward and backward passes share it: the gradient's
// sign of y is only right where both compute the same bits.
#pragma once

#include <cstddef>
#include <vector>

namespace plume::kernels {

template <class T>
struct NormScale {
  std::vector<T> scale;
  std::vector<T> shift;  // zeros where beta is null

  NormScale(const T* mean, const T* inverse_std, const T* gamma, const T* beta, int channels)
      : scale(static_cast<std::size_t>(channels)), shift(static_cast<std::size_t>(channels)) {
    for (int i = 0; i < channels; ++i) {
      const auto channel = static_cast<std::size_t>(i);
      scale[channel] = gamma[i] * inverse_std[i];
      if (beta) shift[channel] = beta[i] - mean[i] * scale[channel];
    }
  }
};

}  // namespace plume::kernels
