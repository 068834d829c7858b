// The innermost loops of the CPU kernels, as a table that is filled once per instruction set and chosen at run time.
// Those of backward passes have a table of their own (backward_primitives.hpp), which a program that only predicts does
// not link.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "kernels/cpu/winograd/primitives.hpp"

namespace plume::kernels {

// Channels per block in packed panels.
inline constexpr int block_channels = 16;

// A tile of a convolution's output: some neighbouring pixels of a row, some vectors of output channels.
template <class T>
struct ConvTile {
  const T* panel = nullptr;         // input as [block][row][column][block_channels]
  std::ptrdiff_t first_pixel = 0;   // of the tile, counted in the panel
  std::ptrdiff_t block_stride = 0;  // elements from one full channel block to the next
  int blocks = 0;
  int last_width = 0;               // channels in the last block; the others have block_channels
  int pixel_step = 0;               // panel columns from one output pixel to the next
  const int* tap_offset = nullptr;  // panel pixels from the tile's first pixel to each tap
  int taps = 0;
  const T* weights = nullptr;  // packed [block][tap][channel][vectors * lanes]
  T* output = nullptr;
  std::ptrdiff_t output_step = 0;  // elements from one output pixel to the next
  int channels = 0;                // output channels that exist, <= vectors * lanes
  const T* bias = nullptr;         // where present, the sum starts with it
  bool add_to_output = false;      // else the sum starts with what the output holds
  bool relu = false;
};

template <class T>
struct Primitives {
  std::string_view name;
  int lanes = 0;

  static constexpr int max_vectors = 2;
  static constexpr int max_pixels = 24;
  using ConvTileFunction = void (*)(const ConvTile<T>&);
  std::array<int, max_vectors + 1> tile_pixels{};  // by vectors: the most pixels a tile may have
  std::array<std::array<ConvTileFunction, max_pixels + 1>, max_vectors + 1> conv_tile{};  // [vectors][pixels]

  WinogradPrimitives<T> winograd;

  // x[i] = x[i] * factor + term for peak_values values, `rounds` times
  int peak_values = 0;
  void (*multiply_adds)(T* x, T factor, T term, std::ptrdiff_t rounds) = nullptr;

  // The functions below work on `pixels` pixels of `c` channels, each array with its own pixel stride.

  // sum[c] += x
  void (*channel_sums)(T* sum, const T* x, std::ptrdiff_t x_stride, std::ptrdiff_t pixels, int c) = nullptr;
  // sum[c] += x - mean[c], squares[c] += (x - mean[c])^2
  void (*deviation_sums)(T* sum, T* squares, const T* x, std::ptrdiff_t x_stride, const T* mean, std::ptrdiff_t pixels,
                         int c) = nullptr;
  // y = x * scale[c] + shift[c], then ReLU where asked
  void (*scale_shift)(T* y, std::ptrdiff_t y_stride, const T* x, std::ptrdiff_t x_stride, const T* scale,
                      const T* shift, std::ptrdiff_t pixels, int c, bool relu) = nullptr;
  // A row of 2x2 windows: out and index [windows, c]; the index, of the first greatest, only where not null.
  void (*max_pool)(T* out, std::ptrdiff_t out_stride, std::uint8_t* index, const T* top, const T* bottom,
                   std::ptrdiff_t in_stride, std::ptrdiff_t windows, int c) = nullptr;
};

enum class InstructionSet { portable, avx2, avx512 };

// The best that this CPU has: PLUME_ISA = portable | avx2 | avx512 overrides the choice where the CPU has it.
[[nodiscard]] InstructionSet chosen_instruction_set();

// The table for it.
template <class T>
[[nodiscard]] const Primitives<T>& primitives();

}  // namespace plume::kernels
