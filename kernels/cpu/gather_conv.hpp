// The one loop nest behind forward convolutions and data gradients: every output pixel gathers its taps.
#pragma once

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

template <class T>
void gather_conv(Image<T> out, const Sources<T>& in, const T* weight, WeightStrides strides, const Lattice& lattice,
                 Epilogue<T> epilogue, CpuStream& stream);

// Runs the adjoint of a convolution.
template <class T>
void gather_adjoint(Image<T> out, const Sources<T>& in, const T* weight, WeightStrides strides,
                    const ConvGeometry& geometry, std::ptrdiff_t tap_weights, const Epilogue<T>& epilogue,
                    CpuStream& stream) {
  for (const Lattice& lattice : adjoint_lattices(geometry, out.h, out.w, tap_weights)) {
    gather_conv(out, in, weight, strides, lattice, epilogue, stream);
  }
}

}  // namespace plume::kernels
