// Transforms tiles of concatenated images to their points, with zeros around the images.
#pragma once

#include <algorithm>
#include <cstddef>

#include "kernels/cpu/copy_channels.hpp"
#include "kernels/cpu/primitives.hpp"
#include "kernels/cpu/winograd/tiling.hpp"
#include "kernels/image.hpp"

namespace plume::kernels {

// A square of pixels, which may lie outside the image in part.
struct PixelWindow {
  int image;
  int row;
  int column;
  int size;

  template <class T>
  [[nodiscard]] bool inside(const Sources<T>& in) const {
    return row >= 0 && column >= 0 && row + size <= in.h() && column + size <= in.w();
  }
};

// Has the channels of `gather`, from `first` on, read where they lie in the window's pixels; false where they cannot
// be. Channels that do not exist may hold anything, so they are read from the pixels behind, if there are any.
template <class T>
bool find_pixels(WinogradGather<T>& gather, const Sources<T>& in, const PixelWindow& window, int first) {
  const int left = in.c() - first;
  for (const auto& source : in) {
    if (first < source.c) {
      const T* pixels = source.at(window.image, window.row, window.column) + first;
      const T* last = source.at(window.image, window.row + window.size - 1, window.column + window.size - 1) + first;
      const T* end = source.at(in.n() - 1, in.h() - 1, in.w() - 1) + source.c;
      gather.pixels = pixels;
      gather.column_step = source.stride;
      gather.row_step = source.row_step;
      return first + std::min(gather.channels, left) <= source.c && end - last >= gather.channels;
    }
    first -= source.c;
  }
  return false;
}

// Copies channels [first, first + width) of a window to [row][column][width]; zeros where there is no pixel or channel.
template <class T>
void copy_window(T* to, const Sources<T>& in, const PixelWindow& window, int first, int width) {
  std::fill_n(to, std::ptrdiff_t{window.size} * window.size * width, T{0});
  const int first_row = std::max(0, -window.row);
  const int last_row = std::min(window.size, in.h() - window.row);
  const int first_column = std::max(0, -window.column);
  const int last_column = std::min(window.size, in.w() - window.column);
  for (const auto& source : in) {
    const int from_channel = std::max(first, 0);
    const int channels = std::min(first + width, source.c) - from_channel;
    for (int row = first_row; row < last_row && channels > 0; ++row) {
      for (int column = first_column; column < last_column; ++column) {
        copy_channels<2 * block_channels>(
            to + (row * window.size + column) * width + (from_channel - first),
            source.at(window.image, window.row + row, window.column + column) + from_channel, channels);
      }
    }
    first -= source.c;
  }
}

// The points of tiles, as [point][group][channel block][tile][width of a block].
template <class T>
struct TilePoints {
  T* data = nullptr;
  std::ptrdiff_t point_step = 0;
  int width = 0;   // of a block
  int blocks = 0;  // of a tile
};

// Transforms channel blocks [first_block, last_block) of a block of tiles. A tile's window starts `offset` rows and
// columns after its place; the lanes beyond the last channel hold anything.
template <class T>
void gather_tiles(const TilePoints<T>& points, void (*transform)(const WinogradGather<T>&), const Sources<T>& in,
                  const Tiling& tiling, const TileBlock& tiles, int size, int row_offset, int column_offset,
                  int first_block, int last_block) {
  constexpr int most_points = 6;
  constexpr int most_width = 2 * block_channels;
  T copy[most_points * most_points * most_width];
  const int lanes = primitives<T>().lanes;
  for (int t = 0; t < tiles.tiles; ++t) {
    const auto place = tiling.place(tiles.first + t);
    const PixelWindow window{place.image, place.row + row_offset, place.column + column_offset, size};
    const bool inside = window.inside(in);
    const int group = t / tiles.most;
    const std::ptrdiff_t group_first = std::ptrdiff_t{group} * tiles.most * points.blocks * points.width;
    for (int block = first_block; block < last_block; ++block) {
      const int first = block * points.width;
      WinogradGather<T> gather;
      gather.channels = std::min(points.width, ceil_div(in.c() - first, lanes) * lanes);
      gather.points = points.data + group_first +
                      (std::ptrdiff_t{block} * tiles.group_tiles(group) + t % tiles.most) * points.width;
      gather.point_step = points.point_step;
      if (!inside || !find_pixels(gather, in, window, first)) {
        copy_window(copy, in, window, first, gather.channels);
        gather.pixels = copy;
        gather.column_step = gather.channels;
        gather.row_step = std::ptrdiff_t{size} * gather.channels;
      }
      transform(gather);
    }
  }
}

}  // namespace plume::kernels
