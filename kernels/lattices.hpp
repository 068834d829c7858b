// Convolutions and their adjoints as gathers: which taps reach which output pixels.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

#include "kernels/convolution.hpp"

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

// What the taps of some lattices reach around an output pixel, in rows and columns of the input.
struct Reach {
  int first_row = 0;
  int first_column = 0;
  int rows = 1;
  int columns = 1;
};

inline Reach reach_of(const std::vector<Lattice>& lattices) {
  int first_row = std::numeric_limits<int>::max();
  int first_column = first_row;
  int last_row = std::numeric_limits<int>::min();
  int last_column = last_row;
  for (const Lattice& lattice : lattices) {
    for (const Tap& tap : lattice.taps) {
      first_row = std::min(first_row, tap.row);
      last_row = std::max(last_row, tap.row);
      first_column = std::min(first_column, tap.column);
      last_column = std::max(last_column, tap.column);
    }
  }
  if (last_row < first_row) return {};  // no tap at all
  return {first_row, first_column, last_row - first_row + 1, last_column - first_column + 1};
}

// Elements from one input (reduced) channel's weight to the next, and from one output channel's to the next.
struct WeightStrides {
  std::ptrdiff_t input = 0;
  std::ptrdiff_t output = 0;
};

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

// The adjoint's stride^2 lattices, which together hold every pixel once; some may be empty.
inline std::vector<Lattice> adjoint_lattices(const ConvGeometry& geometry, int rows, int columns,
                                             std::ptrdiff_t tap_weights) {
  std::vector<Lattice> lattices;
  for (int row = 0; row < geometry.stride; ++row) {
    for (int column = 0; column < geometry.stride; ++column) {
      lattices.push_back(adjoint_lattice(geometry, rows, columns, row, column, tap_weights));
    }
  }
  return lattices;
}

// Those of a convolution or of a transposed one with rows x columns of output.
inline std::vector<Lattice> lattices_of(const ConvGeometry& geometry, bool transposed, int rows, int columns,
                                        std::ptrdiff_t tap_weights) {
  if (transposed) return adjoint_lattices(geometry, rows, columns, tap_weights);
  return {conv_lattice(geometry, rows, columns, tap_weights)};
}

}  // namespace plume::kernels
