// The innermost loops of 8-bit inference, as a table that is filled once per instruction set and chosen at run time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace plume::kernels {

// Input channels whose products one instruction adds up.
inline constexpr int dot_channels = 4;

// A tile of a convolution's output: some neighbouring pixels of a row, some vectors of output channels.
template <class Out>
struct QuantizedTile {
  const std::uint8_t* panel = nullptr;  // at the first pixel: [row][block][column][block_channels]
  std::ptrdiff_t block_stride = 0;      // bytes from one block of channels to the next
  int blocks = 0;
  int last_dots = 0;                           // groups of dot_channels in the last block; the others are full
  std::ptrdiff_t pixel_step = 0;               // bytes from one output pixel to the next
  const std::ptrdiff_t* tap_offset = nullptr;  // bytes from a pixel to each tap
  int taps = 0;
  const std::int8_t* weights = nullptr;  // packed [block][tap][dot][output][dot_channels]
  const float* multiplier = nullptr;     // by output channel, for whole vectors
  const float* shift = nullptr;
  float least = 0;  // of the output
  Out* output = nullptr;
  std::ptrdiff_t output_step = 0;  // elements from one output pixel to the next
  int channels = 0;                // output channels that exist
};

struct QuantizedPrimitives {
  std::string_view name;
  int lanes = 0;  // output channels of a vector

  static constexpr int max_vectors = 2;
  static constexpr int max_pixels = 14;
  template <class Out>
  using Tiles = std::array<std::array<void (*)(const QuantizedTile<Out>&), max_pixels + 1>, max_vectors + 1>;
  int tile_pixels = 0;         // the most that a tile may have
  Tiles<std::uint8_t> tile{};  // [vectors][pixels]; the output rounded and clamped to 0..255
  Tiles<float> real_tile{};

  // y = x * multiplier[c] + shift[c], rounded and clamped to 0..255, of `pixels` pixels of `c` channels.
  template <class In>
  using Round = void (*)(std::uint8_t* y, std::ptrdiff_t y_stride, const In* x, std::ptrdiff_t x_stride,
                         const float* multiplier, const float* shift, std::ptrdiff_t pixels, int c);
  Round<std::uint8_t> round = nullptr;
  Round<float> round_real = nullptr;
};

// The table for this CPU, under PLUME_ISA as primitives() (kernels/cpu/primitives.hpp).
[[nodiscard]] const QuantizedPrimitives& quantized_primitives();

}  // namespace plume::kernels
