// Packing of image rows into panels: channel blocks of 16, neighbouring pixels adjacent, and what lies around the image.
// (Rows of NHWC images with many channels lie 2 to 4 KB apart and would fall into the same few lines of the L1 cache.)
#pragma once

#include <algorithm>
#include <cstddef>

#include "kernels/cpu/copy_channels.hpp"
#include "kernels/cpu/primitives.hpp"
#include "kernels/image.hpp"

namespace plume::kernels {

// The part of an image that a panel holds; rows and columns may lie outside the image.
struct PanelWindow {
  int image = 0;
  int first_row = 0;
  int first_column = 0;
  int rows = 0;
  int columns = 0;
};

// Writes the same pixel, of one block, or zeros where it is null, some times over.
template <class T>
void fill_pixels(T* to, std::ptrdiff_t pixels, const T* pixel) {
  if (pixel == nullptr) {
    std::fill_n(to, pixels * block_channels, T{0});
    return;
  }
  for (std::ptrdiff_t i = 0; i < pixels; ++i) to = std::copy_n(pixel, block_channels, to);
}

// Packs channel blocks [first_block, last_block) into [block][row][column][block_channels]; what lies beyond the last
// channel is left as it is. outside: the pixel around the image, of full blocks; null: zeros.
template <class T>
void pack_panel(T* panel, const Sources<T>& in, const PanelWindow& window, int first_block, int last_block,
                const T* outside = nullptr) {
  const std::ptrdiff_t pixels = std::ptrdiff_t{window.rows} * window.columns;
  const int left = std::clamp(-window.first_column, 0, window.columns);
  const int right = std::clamp(in.w() - window.first_column, left, window.columns);
  for (int block = first_block; block < last_block; ++block) {
    const int first_channel = block * block_channels;
    const int channels = std::min(block_channels, in.c() - first_channel);
    const T* border = outside != nullptr ? outside + first_channel : nullptr;
    T* to = panel + (block - first_block) * pixels * block_channels;
    for (int r = 0; r < window.rows; ++r, to += std::ptrdiff_t{window.columns} * block_channels) {
      const int row = window.first_row + r;
      if (row < 0 || row >= in.h()) {
        fill_pixels(to, window.columns, border);
        continue;
      }
      fill_pixels(to, left, border);
      fill_pixels(to + std::ptrdiff_t{right} * block_channels, window.columns - right, border);
      int source_first = 0;
      for (const auto& source : in) {
        const int first = std::max(first_channel, source_first);
        const int last = std::min(first_channel + channels, source_first + source.c);
        if (first < last && left < right) {
          const T* from = source.at(window.image, row, window.first_column + left) + (first - source_first);
          T* pixel = to + std::ptrdiff_t{left} * block_channels + (first - first_channel);
          for (int x = left; x < right; ++x, from += source.stride, pixel += block_channels) {
            copy_channels<block_channels>(pixel, from, last - first);
          }
        }
        source_first += source.c;
      }
    }
  }
}

}  // namespace plume::kernels
