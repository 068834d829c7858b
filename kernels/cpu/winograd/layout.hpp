// What a Winograd convolution and its weight gradient share: how tiles and channels are cut, and the inputs' points.
#pragma once

#include <algorithm>

#include "kernels/cpu/primitives.hpp"
#include "kernels/cpu/winograd/gather_tiles.hpp"
#include "kernels/cpu/winograd/tiling.hpp"
#include "kernels/cpu/winograd/winograd.hpp"

namespace plume::kernels {

template <class T>
struct WinogradLayout {
  const Primitives<T>& cpu = primitives<T>();
  const WinogradTransforms<T>& transforms;
  Tiling tiling;
  int in_channels;
  int out_channels;
  int points;        // in all: 16 or 36
  int input_blocks;  // of block_channels
  int width;         // output channels of a group
  int groups;

  // Of a convolution with this output.
  template <class U>
  WinogradLayout(WinogradTile tile, int in_channels_, const Image<U>& out)
      : transforms(tile == WinogradTile::f2 ? cpu.winograd.f2 : cpu.winograd.f4),
        tiling(transforms.outputs, out.n, out.h, out.w),
        in_channels(in_channels_),
        out_channels(out.c),
        points(transforms.points * transforms.points),
        input_blocks(ceil_div(in_channels, block_channels)),
        width(std::min(WinogradPrimitives<T>::max_vectors, ceil_div(out_channels, cpu.lanes)) * cpu.lanes),
        groups(ceil_div(out_channels, width)) {}

  [[nodiscard]] int vectors(int group) const {
    return std::min(width / cpu.lanes, ceil_div(out_channels - group * width, cpu.lanes));
  }
};

// The points of some input blocks of tiles, `step` elements from one point to the next.
template <class T>
void gather_inputs(T* inputs, std::ptrdiff_t step, const Sources<T>& in, int pad_top, int pad_left,
                   const WinogradLayout<T>& layout, const TileBlock& tiles, int first_block, int last_block) {
  const TilePoints<T> points{inputs, step, block_channels, layout.input_blocks};
  gather_tiles(points, layout.transforms.input, in, layout.tiling, tiles, layout.transforms.points, -pad_top, -pad_left,
               first_block, last_block);
}

}  // namespace plume::kernels
