// The innermost loops of backward passes and updates, a table per instruction set as kernels/cpu/primitives.hpp has
// them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "kernels/cpu/winograd/primitives.hpp"
#include "kernels/functors.hpp"

namespace plume::kernels {

// A tile of a weight gradient: for up to 3 neighbouring taps of one kernel row and some output channels, the sums over
// rows x columns of input (one channel block) times output gradient.
template <class T>
struct WeightGradTile {
  const T* input = nullptr;  // panel [row][column][block_channels], at the first tap
  std::ptrdiff_t input_row = 0;
  std::ptrdiff_t input_step = 0;  // elements from one output column to the next
  const T* grad = nullptr;        // packed [row][column][channels of the tile]
  int rows = 0;
  int columns = 0;
  T* sums = nullptr;            // [tap][channel][block_channels], added to
  std::ptrdiff_t sums_tap = 0;  // elements from one tap's sums to the next
};

// A normalisation, channel by channel: x * scale + shift, which is (x - mean) * scale + beta, then a ReLU where asked.
template <class T>
struct NormLine {
  const T* mean = nullptr;
  const T* scale = nullptr;
  const T* shift = nullptr;
  bool relu = false;
};

template <class T>
struct BackwardPrimitives {
  static constexpr int max_taps = 3;
  static constexpr int max_grad_channels = 8;
  using WeightGradFunction = void (*)(const WeightGradTile<T>&);
  int grad_channels = 0;  // the most output channels a weight-gradient tile may have
  std::array<std::array<WeightGradFunction, max_grad_channels + 1>, max_taps + 1> weight_grad_tile{};

  WinogradBackwardPrimitives<T> winograd;

  // The functions below work on `pixels` pixels of `c` channels, each array with its own pixel stride.

  // With g = dy where scale_shift gives more than zero (all of dy where relu is false): sum_g[c] += g,
  // sum_gx[c] += g * (x - mean[c])
  void (*norm_grad_sums)(T* sum_g, T* sum_gx, const T* dy, std::ptrdiff_t dy_stride, const T* x,
                         std::ptrdiff_t x_stride, const NormLine<T>& line, std::ptrdiff_t pixels, int c) = nullptr;
  // dx = line.scale[c] * g + slope[c] * (x - mean[c]) + offset[c], added to dx where asked
  void (*norm_grad_apply)(T* dx, std::ptrdiff_t dx_stride, const T* dy, std::ptrdiff_t dy_stride, const T* x,
                          std::ptrdiff_t x_stride, const NormLine<T>& line, const T* slope, const T* offset,
                          std::ptrdiff_t pixels, int c, bool add) = nullptr;

  // The gradient of Primitives::max_pool, written to the two rows of pixels or added to them.
  void (*max_pool_grad)(T* top, T* bottom, std::ptrdiff_t in_stride, const T* grad, std::ptrdiff_t grad_stride,
                        const std::uint8_t* index, std::ptrdiff_t windows, int c, bool add) = nullptr;
  // One step of AdamW with gradients times scale; the buffers do not overlap. The same bits from every set.
  void (*adamw)(T* parameters, const T* gradients, T* first, T* second, std::ptrdiff_t count, T scale,
                const AdamwBody<T>& body) = nullptr;
};

// The table for the chosen instruction set.
template <class T>
[[nodiscard]] const BackwardPrimitives<T>& backward_primitives();

}  // namespace plume::kernels
