// The one loop nest behind forward convolutions and data gradients: every output pixel gathers its taps.
#pragma once

#include <vector>

#include "kernels/image.hpp"
#include "kernels/lattices.hpp"
#include "kernels/stream.hpp"

namespace plume::kernels {

template <class T>
struct Epilogue {
  const T* bias = nullptr;
  bool add = false;  // to what out holds (then there is no bias)
  bool relu = false;
};

// Every lattice's pixels of out; the lattices have the same input_step. One after the other per band of rows, so that
// pixels that lie in a cache line together are written together.
template <class T>
void gather_conv(Image<T> out, const Sources<T>& in, const T* weight, WeightStrides strides,
                 const std::vector<Lattice>& lattices, Epilogue<T> epilogue, CpuStream& stream);

}  // namespace plume::kernels
