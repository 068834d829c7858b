// How many operations a convolution is, for profiles and rates.
#pragma once

#include "nn/tensor.hpp"

namespace plume::nn {

// By the definition: every weight meets every position once, in a multiplication and an addition. Positions are the
// output's pixels, of a transposed convolution the input's.
inline double flops_of(const Tensor& weight, const Shape& positions) {
  return 2.0 * static_cast<double>(weight.shape().count()) * static_cast<double>(positions.count()) / positions.c;
}

}  // namespace plume::nn
