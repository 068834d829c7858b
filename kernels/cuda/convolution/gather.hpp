// The implicit GEMM behind forward convolutions and data gradients: every output pixel gathers its taps. Rows are output
// pixels, columns output channels, and the depth is taps times input channels.
#pragma once

#include <vector>

#include "kernels/image.hpp"
#include "kernels/lattices.hpp"
#include "kernels/stream.hpp"

namespace plume::kernels::cuda {

struct GatherEpilogue {
  const float* bias = nullptr;
  bool add = false;  // to what out holds
  bool relu = false;
};

// out (+)= the sum over taps and channels of in * weight, + bias, then ReLU; lattices as conv_lattice or
// adjoint_lattices make them, of one step and one input step. Throws input_error where there are more than 49 taps or
// 16 lattices.
template <class T>
void gather_conv(Image<T> out, const Sources<T>& in, const T* weight, WeightStrides strides,
                 const std::vector<Lattice>& lattices, GatherEpilogue epilogue, CudaStream& stream);

}  // namespace plume::kernels::cuda
