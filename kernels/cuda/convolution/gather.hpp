// The implicit GEMM behind forward convolutions and data gradients: every output pixel gathers its taps. Rows are output
// pixels, columns output channels, and the depth is taps times input channels.
#pragma once

#include <vector>

#include "kernels/image.hpp"
#include "kernels/lattices.hpp"
#include "kernels/stream.hpp"

namespace plume::kernels::cuda {

template <class T>
struct GatherEpilogue {
  const float* bias = nullptr;
  bool add = false;  // to what out holds
  bool relu = false;
  // Where it has memory, the maxima of out's 2x2 windows go there; then there is one lattice, of step 1.
  Image<T> pooled{};
};

// out (+)= the sum over taps and channels of in * weight, + bias, then ReLU; lattices as conv_lattice or
// adjoint_lattices make them, of one step and one input step. Throws input_error where there are more than 49 taps or
// 16 lattices.
template <class T>
void gather_conv(Image<T> out, const Sources<T>& in, const T* weight, WeightStrides strides,
                 const std::vector<Lattice>& lattices, const GatherEpilogue<T>& epilogue, CudaStream& stream);

}  // namespace plume::kernels::cuda
