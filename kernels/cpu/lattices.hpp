// Which taps reach which output pixels, for a convolution and for its adjoint.
#pragma once

#include "kernels/convolution.hpp"
#include "kernels/cpu/gather_conv.hpp"

namespace plume::kernels {

// The one lattice of a convolution with rows x columns of output.
inline Lattice conv_lattice(const ConvGeometry& geometry, int rows, int columns, std::ptrdiff_t tap_weights) {
  Lattice lattice{0, 0, 1, rows, columns, geometry.stride, {}};
  for (int row = 0; row < geometry.kernel; ++row) {
    for (int column = 0; column < geometry.kernel; ++column) {
      lattice.taps.push_back({row - geometry.pad[0], column - geometry.pad[1],
                              (std::ptrdiff_t{row} * geometry.kernel + column) * tap_weights});
    }
  }
  return lattice;
}

// The adjoint's lattice for output pixels at (phase_row + i * stride, phase_column + j * stride): the kernel rows k with
// phase_row + pad top - k divisible by the stride, each reading input row i + (phase_row + pad top - k) / stride.
inline Lattice adjoint_lattice(const ConvGeometry& geometry, int rows, int columns, int phase_row, int phase_column,
                               std::ptrdiff_t tap_weights) {
  const int stride = geometry.stride;
  Lattice lattice{phase_row,
                  phase_column,
                  stride,
                  (rows - phase_row + stride - 1) / stride,
                  (columns - phase_column + stride - 1) / stride,
                  1,
                  {}};
  for (int row = 0; row < geometry.kernel; ++row) {
    const int row_shift = phase_row + geometry.pad[0] - row;
    if (row_shift % stride != 0) continue;
    for (int column = 0; column < geometry.kernel; ++column) {
      const int column_shift = phase_column + geometry.pad[1] - column;
      if (column_shift % stride != 0) continue;
      lattice.taps.push_back(
          {row_shift / stride, column_shift / stride, (std::ptrdiff_t{row} * geometry.kernel + column) * tap_weights});
    }
  }
  return lattice;
}

// Runs the adjoint of a convolution: stride^2 lattices that together write every pixel of out once.
template <class T>
void gather_adjoint(Image<T> out, const Sources<T>& in, const T* weight, WeightStrides strides,
                    const ConvGeometry& geometry, std::ptrdiff_t tap_weights, const Epilogue<T>& epilogue,
                    CpuStream& stream) {
  for (int row = 0; row < geometry.stride; ++row) {
    for (int column = 0; column < geometry.stride; ++column) {
      gather_conv(out, in, weight, strides, adjoint_lattice(geometry, out.h, out.w, row, column, tap_weights), epilogue,
                  stream);
    }
  }
}

}  // namespace plume::kernels
