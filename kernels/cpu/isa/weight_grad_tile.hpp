// The register tile of a weight gradient: taps x channels sums of a block of input channels, over rows of pixels.
#pragma once

#include "kernels/cpu/backward_primitives.hpp"
#include "kernels/cpu/isa/vector.hpp"
#include "kernels/cpu/primitives.hpp"

namespace plume::kernels::isa {

// The lanes are the block's input channels; an output gradient is broadcast to all taps, so that a 3x3 kernel's row
// needs 3 + channels loads for 3 * channels multiply-adds.
template <class Isa, class T, int taps, int channels>
void weight_grad_tile(const WeightGradTile<T>& tile) {
  using V = Vector<Isa, T>;
  constexpr int vectors = block_channels / V::lanes;
  typename V::type sum[taps][channels][vectors] = {};

  for (int row = 0; row < tile.rows; ++row) {
    const T* input = tile.input + row * tile.input_row;
    const T* grad = tile.grad + std::ptrdiff_t{row} * tile.columns * channels;
    for (int column = 0; column < tile.columns; ++column, input += tile.input_step, grad += channels) {
      typename V::type value[taps][vectors];
#pragma GCC unroll 3
      for (int t = 0; t < taps; ++t) {
#pragma GCC unroll 8
        for (int v = 0; v < vectors; ++v) value[t][v] = V::load(input + t * block_channels + v * V::lanes);
      }
#pragma GCC unroll 8
      for (int c = 0; c < channels; ++c) {
#pragma GCC unroll 3
        for (int t = 0; t < taps; ++t) {
#pragma GCC unroll 8
          for (int v = 0; v < vectors; ++v) sum[t][c][v] += value[t][v] * grad[c];
        }
      }
    }
  }

  // Unrolled, so that the sums never leave their registers.
#pragma GCC unroll 3
  for (int t = 0; t < taps; ++t) {
#pragma GCC unroll 8
    for (int c = 0; c < channels; ++c) {
      T* to = tile.sums + t * tile.sums_tap + c * block_channels;
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v) V::store(to + v * V::lanes, V::load(to + v * V::lanes) + sum[t][c][v]);
    }
  }
}

}  // namespace plume::kernels::isa
