// Weight gradients: correlations of a gathered image with a lattice image, as kernels/cpu/weight_grad.hpp has them.
#pragma once

#include <cstddef>

#include "kernels/convolution.hpp"

namespace plume::kernels::cuda {

// Elements in the result from one tap, gathered channel and lattice channel to the next.
struct CorrelationStrides {
  std::ptrdiff_t tap = 0;
  std::ptrdiff_t gathered = 0;
  std::ptrdiff_t lattice = 0;
};

// result[tap][a][b] (+)= sum over images and lattice pixels (i, j) of
//   gathered(i * stride + tap row - pad top, j * stride + tap column - pad left, a) * lattice(i, j, b).
// For a convolution the input is gathered and the output gradient is the lattice; for a transposed one the other way.
// Pixels are cut into parts by shape alone; each part's sums are kept, then added in order.
template <class T>
void correlate(Wide<T>* result, CorrelationStrides strides, const Sources<T>& gathered, const Sources<T>& lattice,
               const ConvGeometry& geometry, bool add, CudaStream& stream);

}  // namespace plume::kernels::cuda
