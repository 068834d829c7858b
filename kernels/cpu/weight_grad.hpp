// The one loop nest behind weight gradients: correlations of a gathered image with a lattice image.
#pragma once

#include <cstddef>

#include "kernels/convolution.hpp"
#include "kernels/image.hpp"
#include "kernels/stream.hpp"

namespace plume::kernels {

// Elements in the result from one tap, gathered channel and lattice channel to the next.
struct CorrelationStrides {
  std::ptrdiff_t tap = 0;
  std::ptrdiff_t gathered = 0;
  std::ptrdiff_t lattice = 0;
};

// result[tap][a][b] (+)= sum over images and lattice pixels (i, j) of
//   gathered(i * stride + tap row - pad top, j * stride + tap column - pad left, a) * lattice(i, j, b).
// For a convolution the input is gathered and the output gradient is the lattice; for a transposed one the other way.
template <class T>
void correlate(T* result, CorrelationStrides strides, const Sources<T>& gathered, const Sources<T>& lattice,
               ConvGeometry geometry, bool add, CpuStream& stream);

}  // namespace plume::kernels
