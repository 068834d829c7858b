// The loops of 8-bit inference, above all the register tile of a convolution: pixels x vectors sums held in registers over
// all channels and taps. Dot has the instruction set's products: the types Sums and Bytes, and weights(), inputs(), add().
#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>

#include "kernels/cpu/isa/vector.hpp"
#include "kernels/cpu/primitives.hpp"
#include "kernels/cpu/quantized/primitives.hpp"

namespace plume::kernels::isa {

// One block of channels. fixed_step: bytes from one pixel to the next where they are known at compile time, else zero.
template <class Isa, class Dot, class Out, int pixels, int vectors, int fixed_step>
[[gnu::always_inline]] inline const std::int8_t* quantized_block(typename Dot::Sums (&sum)[pixels][vectors],
                                                                 const QuantizedTile<Out>& tile,
                                                                 const std::uint8_t* block, int dots,
                                                                 const std::int8_t* weights) {
  const std::ptrdiff_t step = fixed_step ? fixed_step : tile.pixel_step;
  for (int tap = 0; tap < tile.taps; ++tap) {
    const std::uint8_t* pixel = block + tile.tap_offset[tap];
    for (int dot = 0; dot < dots; ++dot, pixel += dot_channels, weights += vectors * Isa::vector_bytes) {
      typename Dot::Bytes weight[vectors];
#pragma GCC unroll 2
      for (int v = 0; v < vectors; ++v) weight[v] = Dot::weights(weights + v * Isa::vector_bytes);
#pragma GCC unroll 14
      for (int p = 0; p < pixels; ++p) {
        const typename Dot::Bytes input = Dot::inputs(pixel + p * step);
#pragma GCC unroll 2
        for (int v = 0; v < vectors; ++v) sum[p][v] = Dot::add(sum[p][v], input, weight[v]);
      }
    }
  }
  return weights;
}

// Writes one vector of outputs, of which `channels` exist.
template <class Isa, class Out>
[[gnu::always_inline]] inline void write_outputs(Out* to, typename Vector<Isa, float>::type value, int channels) {
  constexpr int lanes = Vector<Isa, float>::lanes;
  using Outputs = typename VectorOf<Out, lanes* static_cast<int>(sizeof(Out))>::type;
  Outputs output;
  if constexpr (std::is_same_v<Out, std::uint8_t>) {
    using Integers = typename Vector<Isa, std::int32_t>::type;
    value = value < 255.0F ? value : 255.0F + typename Vector<Isa, float>::type{};
    output = __builtin_convertvector(__builtin_convertvector(value + 0.5F, Integers), Outputs);
  } else {
    output = value;
  }
  if (channels >= lanes) {
    *reinterpret_cast<Outputs*>(to) = output;
  } else {
    for (int c = 0; c < channels; ++c) to[c] = output[c];
  }
}

template <class Isa, class Dot, class Out, int pixels, int vectors>
void quantized_tile(const QuantizedTile<Out>& tile) {
  using V = Vector<Isa, float>;
  typename Dot::Sums sum[pixels][vectors] = {};
  const std::int8_t* weights = tile.weights;
  for (int b = 0; b < tile.blocks; ++b) {
    const int dots = b + 1 == tile.blocks ? tile.last_dots : block_channels / dot_channels;
    const std::uint8_t* block = tile.panel + b * tile.block_stride;
    weights = tile.pixel_step == block_channels
                  ? quantized_block<Isa, Dot, Out, pixels, vectors, block_channels>(sum, tile, block, dots, weights)
                  : quantized_block<Isa, Dot, Out, pixels, vectors, 0>(sum, tile, block, dots, weights);
  }

  const typename V::type least = typename V::type{} + tile.least;
#pragma GCC unroll 2
  for (int v = 0; v < vectors; ++v) {
    const typename V::type multiplier = V::load(tile.multiplier + v * V::lanes);
    const typename V::type shift = V::load(tile.shift + v * V::lanes);
#pragma GCC unroll 14
    for (int p = 0; p < pixels; ++p) {
      const typename V::type value = __builtin_convertvector(sum[p][v], typename V::type) * multiplier + shift;
      write_outputs<Isa, Out>(tile.output + p * tile.output_step + v * V::lanes, value > least ? value : least,
                              tile.channels - v * V::lanes);
    }
  }
}

template <class Isa, class In>
void round_pixels(std::uint8_t* y, std::ptrdiff_t y_stride, const In* x, std::ptrdiff_t x_stride,
                  const float* multiplier, const float* shift, std::ptrdiff_t pixels, int c) {
  using V = Vector<Isa, float>;
  using Inputs = typename VectorOf<In, V::lanes* static_cast<int>(sizeof(In))>::type;
  const typename V::type zero = {};
  for (std::ptrdiff_t p = 0; p < pixels; ++p, x += x_stride, y += y_stride) {
    for (int i = 0; i < c; i += V::lanes) {
      Inputs input = {};
      if (c - i >= V::lanes) {
        input = *reinterpret_cast<const Inputs*>(x + i);
      } else {
        for (int k = 0; k < c - i; ++k) input[k] = x[i + k];
      }
      const typename V::type value =
          __builtin_convertvector(input, typename V::type) * V::load(multiplier + i) + V::load(shift + i);
      write_outputs<Isa, std::uint8_t>(y + i, value > zero ? value : zero, c - i);
    }
  }
}

// Isa::tile_pixels is the most pixels whose sums, with two vectors, fit the registers.
template <class Isa, class Dot>
constexpr QuantizedPrimitives make_quantized_table() {
  QuantizedPrimitives table;
  table.name = Isa::name;
  table.lanes = Vector<Isa, float>::lanes;
  table.tile_pixels = Isa::tile_pixels;
  table.round = round_pixels<Isa, std::uint8_t>;
  table.round_real = round_pixels<Isa, float>;
  [&]<int... p>(std::integer_sequence<int, p...>) {
    ((table.tile[1][p + 1] = quantized_tile<Isa, Dot, std::uint8_t, p + 1, 1>), ...);
    ((table.tile[2][p + 1] = quantized_tile<Isa, Dot, std::uint8_t, p + 1, 2>), ...);
    ((table.real_tile[1][p + 1] = quantized_tile<Isa, Dot, float, p + 1, 1>), ...);
    ((table.real_tile[2][p + 1] = quantized_tile<Isa, Dot, float, p + 1, 2>), ...);
  }
  (std::make_integer_sequence<int, Isa::tile_pixels>{});
  return table;
}

}  // namespace plume::kernels::isa
