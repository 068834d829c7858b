// Operands that lie in shared memory pixel by pixel, while tensor cores want each lane to hold neighbouring pixels of one
// channel: transposing loads, by ldmatrix for 16-bit elements, by single words for 32-bit ones.
#pragma once

#include "device_language.hpp"
#include "kernels/cuda/convolution/source_views.hpp"
#include "kernels/cuda/convolution/tile.cuh"

namespace plume::kernels::cuda {

// Lines of `channels` elements, one for each pixel.
template <class T, int channels>
struct PixelMajor;

template <int channels>
struct PixelMajor<bf16, channels> {
  static constexpr int group = group_size<bf16>;

  template <class Element>  // bf16 or const bf16
  __device__ static Element* at(Element* lines, int pixel, int channel) {
    return lines + pixel * channels + swizzled<channels / group>(pixel, channel / group) * group;
  }
  // The left operand of 16 channels by 16 pixels.
  __device__ static void load_rows(unsigned (&raw)[4], const bf16* lines, int pixel, int channel) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    ldmatrix_x4_trans(raw, at(lines, pixel + lane / 16 * 8 + lane % 8, channel + lane / 8 % 2 * 8));
  }
  // Two right operands of 16 pixels by 8 channels.
  __device__ static void load_columns(unsigned (&raw)[4], const bf16* lines, int pixel, int channel) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    ldmatrix_x4_trans(raw, at(lines, pixel + lane / 8 % 2 * 8 + lane % 8, channel + lane / 16 * 8));
  }
};

template <int channels>
struct PixelMajor<float, channels> {
  static constexpr int group = group_size<float>;

  // Eight neighbouring channels of four neighbouring pixels lie in 32 different banks.
  template <class Element>  // float or const float
  __device__ static Element* at(Element* lines, int pixel, int channel) {
    constexpr int lines_per_row_of_banks = channels < 32 ? 32 / channels : 1;
    constexpr int distinct = 4 / lines_per_row_of_banks;
    const int turned = channel / group ^ pixel / lines_per_row_of_banks % distinct * 2;
    return lines + pixel * channels + turned * group + channel % group;
  }
  // The left operand of 16 channels by 8 pixels.
  __device__ static void load_rows(unsigned (&raw)[4], const float* lines, int pixel, int channel) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      raw[i] = __float_as_uint(*at(lines, pixel + i / 2 * 4 + lane % 4, channel + i % 2 * 8 + lane / 4));
    }
  }
  // Two right operands of 8 pixels by 8 channels.
  __device__ static void load_columns(unsigned (&raw)[4], const float* lines, int pixel, int channel) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      raw[i] = __float_as_uint(*at(lines, pixel + i % 2 * 4 + lane % 4, channel + i / 2 * 8 + lane / 4));
    }
  }
};

}  // namespace plume::kernels::cuda
