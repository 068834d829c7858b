// The register tile of a convolution: pixels x vectors sums held in registers over all channels and taps.
#pragma once

#include "kernels/cpu/copy_channels.hpp"
#include "kernels/cpu/isa/vector.hpp"
#include "kernels/cpu/primitives.hpp"

namespace plume::kernels::isa {

// One channel block. fixed_stride is the distance between neighbouring output pixels in the panel where it is known at
// compile time (stride 1, full block), so that the addresses fold into the instructions; 0 where it is not.
template <class Isa, class T, int pixels, int vectors, int fixed_stride>
inline const T* conv_block(typename Vector<Isa, T>::type (&sum)[pixels][vectors], const ConvTile<T>& tile,
                           const T* block, int width, const T* weights) {
  using V = Vector<Isa, T>;
  const std::ptrdiff_t stride = fixed_stride ? fixed_stride : std::ptrdiff_t{tile.pixel_step} * width;
  for (int tap = 0; tap < tile.taps; ++tap) {
    const T* pixel = block + std::ptrdiff_t{tile.tap_offset[tap]} * width;
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

// The values a tile's sums start with, for one pixel: its bias, or what the output holds, or zero.
template <class Isa, class T, int vectors>
inline void start_pixel(typename Vector<Isa, T>::type (&sum)[vectors], const T* from, int channels) {
  using V = Vector<Isa, T>;
  if (channels == vectors * V::lanes) {
    for (int v = 0; v < vectors; ++v) sum[v] = V::load(from + v * V::lanes);
    return;
  }
  T padded[vectors * V::lanes] = {};
  copy_channels<vectors * V::lanes / 2>(padded, from, channels);
  for (int v = 0; v < vectors; ++v) sum[v] = V::load(padded + v * V::lanes);
}

template <class Isa, class T, int vectors>
inline void finish_pixel(T* to, const typename Vector<Isa, T>::type (&sum)[vectors], int channels, bool relu) {
  using V = Vector<Isa, T>;
  typename V::type value[vectors];
  for (int v = 0; v < vectors; ++v) value[v] = sum[v];
  if (relu) {
    const typename V::type zero = {};
    for (int v = 0; v < vectors; ++v) value[v] = value[v] < zero ? zero : value[v];  // keeps NaN
  }
  if (channels == vectors * V::lanes) {
    for (int v = 0; v < vectors; ++v) V::store(to + v * V::lanes, value[v]);
    return;
  }
  T padded[vectors * V::lanes];
  for (int v = 0; v < vectors; ++v) V::store(padded + v * V::lanes, value[v]);
  copy_channels<vectors * V::lanes / 2>(to, padded, channels);
}

template <class Isa, class T, int pixels, int vectors>
void conv_tile(const ConvTile<T>& tile) {
  typename Vector<Isa, T>::type sum[pixels][vectors] = {};
  if (tile.bias) {
    for (int p = 0; p < pixels; ++p) start_pixel<Isa, T, vectors>(sum[p], tile.bias, tile.channels);
  } else if (tile.add_to_output) {
    for (int p = 0; p < pixels; ++p) {
      start_pixel<Isa, T, vectors>(sum[p], tile.output + p * tile.output_step, tile.channels);
    }
  }

  const T* weights = tile.weights;
  for (int b = 0; b < tile.blocks; ++b) {
    const int width = b + 1 == tile.blocks ? tile.last_width : block_channels;
    const T* block = tile.panel + b * tile.block_stride + tile.first_pixel * width;
    weights = width == block_channels && tile.pixel_step == 1
                  ? conv_block<Isa, T, pixels, vectors, block_channels>(sum, tile, block, block_channels, weights)
                  : conv_block<Isa, T, pixels, vectors, 0>(sum, tile, block, width, weights);
  }

  for (int p = 0; p < pixels; ++p) {
    finish_pixel<Isa, T, vectors>(tile.output + p * tile.output_step, sum[p], tile.channels, tile.relu);
  }
}

}  // namespace plume::kernels::isa
