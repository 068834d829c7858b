// Copies between plume's layouts and those that libraries of convolutions and matrix products read.
#pragma once

#include <cstddef>

#include "kernels/image.hpp"
#include "kernels/stream.hpp"

namespace plume::kernels::cuda {

// `taps` matrices of rows x columns, elements of a row adjacent.
struct TapMatrices {
  int rows = 0;
  int columns = 0;
  std::ptrdiff_t row_stride = 0;
  std::ptrdiff_t tap_stride = 0;
};

// to[tap] (+)= the transpose of from[tap], with zeros where `to` goes beyond it; `from` may go beyond `to`.
// T, U: both float, both bf16, or a sum in float of bf16.
template <class T, class U>
void transpose_taps(T* to, const TapMatrices& to_shape, const U* from, const TapMatrices& from_shape, int taps,
                    bool add, CudaStream& stream);

// to = from, packed: pixels `channels` apart, with zeros after from's channels. `channels` is a multiple of 16 bytes.
template <class T>
void pad_channels(T* to, int channels, Image<const T> from, CudaStream& stream);

// What a transposed convolution with kernel == stride == `factor` and no crop does besides a matrix product: pixel (y, x)
// of its input makes the block of factor x factor pixels of `out` that begins at (factor y, factor x). `rows` holds such
// blocks side by side: [pixel of the input][row in block][column in block][channel].

// out = the pixels of rows, plus bias (may be null), then ReLU where asked.
template <class T>
void shuffle_pixels(Image<T> out, const T* rows, const float* bias, int factor, bool relu, CudaStream& stream);

// rows = the pixels of out.
template <class T>
void gather_pixels(T* rows, Image<const T> out, int factor, CudaStream& stream);

}  // namespace plume::kernels::cuda
