// The register tile of a convolution: pixels x vectors sums held in registers over all channels and taps.
#pragma once

#include "kernels/cpu/isa/partial_vector.hpp"
#include "kernels/cpu/primitives.hpp"

namespace plume::kernels::isa {

// One channel block. pixel_step is known at compile time (1) or, as zero, is the tile's: known, the addresses of the
// pixels fold into the instructions.
template <class Isa, class T, int pixels, int vectors, int pixel_step>
inline const T* conv_block(typename Vector<Isa, T>::type (&sum)[pixels][vectors], const ConvTile<T>& tile,
                           const T* block, int width, const T* weights) {
  using V = Vector<Isa, T>;
  const std::ptrdiff_t stride = std::ptrdiff_t{pixel_step ? pixel_step : tile.pixel_step} * block_channels;
  for (int tap = 0; tap < tile.taps; ++tap) {
    const T* pixel = block + std::ptrdiff_t{tile.tap_offset[tap]} * block_channels;
    for (int channel = 0; channel < width; ++channel) {
      typename V::type weight[vectors];
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) weight[v] = V::load(weights + v * V::lanes);
#pragma GCC unroll 24
      for (int p = 0; p < pixels; ++p) {
        const T value = pixel[p * stride + channel];
#pragma GCC unroll 4
        for (int v = 0; v < vectors; ++v) sum[p][v] += weight[v] * value;
      }
      weights += vectors * V::lanes;
    }
  }
  return weights;
}

// The vectors of a pixel: its `channels` first values, zeros beyond.
template <class Isa, class T, int vectors>
[[gnu::always_inline]] inline void load_pixel(typename Vector<Isa, T>::type (&value)[vectors], const T* from,
                                              int channels) {
  constexpr int lanes = Vector<Isa, T>::lanes;
  for (int v = 0; v < vectors; ++v, from += lanes, channels -= lanes) {
    if (channels >= lanes) {
      value[v] = load_channels<Isa, T, lanes>(from, lanes);
    } else {
      value[v] = load_channels<Isa, T, 0>(from, channels > 0 ? channels : 0);
    }
  }
}

template <class Isa, class T, int vectors>
[[gnu::always_inline]] inline void store_pixel(T* to, const typename Vector<Isa, T>::type (&value)[vectors],
                                               int channels) {
  constexpr int lanes = Vector<Isa, T>::lanes;
  for (int v = 0; v < vectors && channels > 0; ++v, to += lanes, channels -= lanes) {
    if (channels >= lanes) {
      store_channels<Isa, T, lanes>(to, value[v], lanes);
    } else {
      store_channels<Isa, T, 0>(to, value[v], channels);
    }
  }
}

template <class Isa, class T, int pixels, int vectors>
void conv_tile(const ConvTile<T>& tile) {
  using V = typename Vector<Isa, T>::type;
  V sum[pixels][vectors];
  // Loops over pixels are unrolled wherever they touch the sums, which would not stay in registers otherwise.
  if (tile.add_to_output && tile.bias == nullptr) {
    V start[pixels][vectors];
    for (int p = 0; p < pixels; ++p) {
      load_pixel<Isa, T, vectors>(start[p], tile.output + p * tile.output_step, tile.channels);
    }
#pragma GCC unroll 24
    for (int p = 0; p < pixels; ++p) {
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) sum[p][v] = start[p][v];
    }
  } else {
    V start[vectors] = {};
    if (tile.bias) load_pixel<Isa, T, vectors>(start, tile.bias, tile.channels);
#pragma GCC unroll 24
    for (int p = 0; p < pixels; ++p) {
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) sum[p][v] = start[v];
    }
  }

  const T* weights = tile.weights;
  for (int b = 0; b < tile.blocks; ++b) {
    const int width = b + 1 == tile.blocks ? tile.last_width : block_channels;
    const T* block = tile.panel + b * tile.block_stride + tile.first_pixel * block_channels;
    weights = tile.pixel_step == 1 ? conv_block<Isa, T, pixels, vectors, 1>(sum, tile, block, width, weights)
                                   : conv_block<Isa, T, pixels, vectors, 0>(sum, tile, block, width, weights);
  }

  const V least = V{} + (tile.relu ? T{0} : unbounded<T>);
  V end[pixels][vectors];
#pragma GCC unroll 24
  for (int p = 0; p < pixels; ++p) {
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) end[p][v] = sum[p][v] < least ? least : sum[p][v];  // a NaN stays one
  }
  for (int p = 0; p < pixels; ++p) {
    store_pixel<Isa, T, vectors>(tile.output + p * tile.output_step, end[p], tile.channels);
  }
}

}  // namespace plume::kernels::isa
