// The one loop nest behind forward convolutions and data gradients: every output pixel gathers its taps.
#pragma once

#include <cstddef>
#include <vector>

#include "kernels/image.hpp"
#include "kernels/stream.hpp"

namespace plume::kernels {

// A tap reads the input at (i * input_step + row, j * input_step + column) and the weights at offset `weight`.
struct Tap {
  int row = 0;
  int column = 0;
  std::ptrdiff_t weight = 0;
};

// out(first_row + i * step, first_column + j * step) = start + sum over taps and channels of in * weight.
// A strided data gradient is `step`^2 such lattices, each with the taps that reach it; a convolution is one.
struct Lattice {
  int first_row = 0;
  int first_column = 0;
  int step = 1;
  int rows = 0;
  int columns = 0;
  int input_step = 1;
  std::vector<Tap> taps;
};

// Elements from one input (reduced) channel's weight to the next, and from one output channel's to the next.
struct WeightStrides {
  std::ptrdiff_t input = 0;
  std::ptrdiff_t output = 0;
};

template <class T>
struct Epilogue {
  const T* bias = nullptr;
  bool add = false;  // to what out holds (then there is no bias)
  bool relu = false;
};

template <class T>
void gather_conv(Image<T> out, const Sources<T>& in, const T* weight, WeightStrides strides, const Lattice& lattice,
                 Epilogue<T> epilogue, CpuStream& stream);

}  // namespace plume::kernels
