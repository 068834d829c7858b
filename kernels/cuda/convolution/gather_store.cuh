// The gather kernel's end: sums become pixels, with bias, ReLU, what was there, and 2x2 maxima.
#pragma once

#include "device_language.hpp"
#include "kernels/cuda/convolution/gather_arguments.hpp"
#include "kernels/cuda/pack.cuh"

namespace plume::kernels::cuda {

// Neighbouring channels of a pixel, of which the first `count` exist.
template <class T>
using ChannelGroup = Floats<group_size<T>>;

template <class T>
__device__ ChannelGroup<T> finished(const GatherEpilogue<T>& epilogue, const T* before, const float* sums, int channel,
                                    int count) {
  ChannelGroup<T> values;
#pragma unroll
  for (int i = 0; i < group_size<T>; ++i) {
    float value = sums[i];
    if (epilogue.bias != nullptr && in_bounds(i < count)) value += epilogue.bias[channel + i];
    if (epilogue.add && in_bounds(i < count)) value += static_cast<float>(before[i]);
    values[i] = epilogue.relu && value < 0.0F ? 0.0F : value;
  }
  return values;
}

template <class T>
__device__ void store_group(T* to, const ChannelGroup<T>& values, int count, bool packs) {
  if (packs) {
    store(to, values);
    return;
  }
#pragma unroll
  for (int i = 0; i < group_size<T>; ++i) {
    if (in_bounds(i < count)) to[i] = static_cast<T>(values[i]);
  }
}

// One pixel's group, where the pixel exists; its values come back.
template <class T>
__device__ ChannelGroup<T> store_pixel(const GatherArguments<T>& arguments, const GatherLattice& lattice,
                                       const PixelGrid::Place& place, const float* sums, int channel) {
  if (!in_bounds(place.row < lattice.rows) || !in_bounds(place.column < lattice.columns)) return {};
  const int count = arguments.out.c - channel;
  T* to = arguments.out.at(place.image, lattice.first_row + place.row * arguments.step,
                           lattice.first_column + place.column * arguments.step) +
          channel;
  const auto values = finished(arguments.epilogue, to, sums, channel, count);
  store_group(to, values, count, arguments.packs);
  return values;
}

// A window's four pixels, which lie in four rows of `pitch` sums, and their maximum where the window is whole. A NaN wins
// over all, as in kernels/pooling.hpp.
template <class T>
__device__ void store_window(const GatherArguments<T>& arguments, const GatherLattice& lattice, int first_pixel,
                             const float* sums, int pitch, int channel) {
  ChannelGroup<T> best;
#pragma unroll
  for (int k = 0; k < 4; ++k) {
    const auto values =
        store_pixel(arguments, lattice, lattice.place(first_pixel + k, true), sums + k * pitch, channel);
#pragma unroll
    for (int i = 0; i < group_size<T>; ++i) {
      if (k == 0 || (!(values[i] <= best[i]) && best[i] == best[i])) best[i] = values[i];
    }
  }
  const auto window = lattice.grid.place(first_pixel / 4);
  const Image<T>& pooled = arguments.epilogue.pooled;
  if (!in_bounds(window.row < pooled.h) || !in_bounds(window.column < pooled.w)) return;
  T* to = pooled.at(window.image, window.row, window.column) + channel;
  store_group(to, best, pooled.c - channel, arguments.pooled_packs);
}

// Each warp turns 16 rows of its sums at a time through shared memory of its own, so that threads hold neighbouring
// channels of a pixel.
template <class Tile, class T>
__device__ void store_sums(const GatherArguments<T>& arguments, const GatherLattice& lattice, int first_pixel,
                           int first_channel, const typename Tile::Sums& sums) {
  constexpr int pitch = Tile::warp_columns + 8;  // four rows' pairs lie in different banks
  constexpr int groups = Tile::warp_columns / group_size<T>;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int rows = arguments.by_window ? 4 : 1;  // that a thread takes together
  float* turned = dynamic_shared<float>() + static_cast<int>(threadIdx.x) / 32 * 16 * pitch;
  __syncthreads();  // all are done with the stages' memory
#pragma unroll
  for (int tile = 0; tile < Tile::row_tiles; ++tile) {
#pragma unroll
    for (int column = 0; column < Tile::column_tiles; ++column) {
      float* to = turned + lane / 4 * pitch + column * 8 + lane % 4 * 2;
      *reinterpret_cast<float2*>(to) = make_float2(sums[tile][column][0], sums[tile][column][1]);
      *reinterpret_cast<float2*>(to + 8 * pitch) = make_float2(sums[tile][column][2], sums[tile][column][3]);
    }
    __syncwarp();
#pragma unroll 1
    for (int i = lane; in_bounds(i < 16 / rows * groups); i += 32) {
      const int row = i / groups * rows;
      const int column = i % groups * group_size<T>;
      const int pixel = first_pixel + Tile::first_row() + tile * 16 + row;
      const int channel = first_channel + Tile::first_column() + column;
      if (!in_bounds(pixel < lattice.pixels) || !in_bounds(channel < arguments.out.c)) continue;
      const float* from = turned + row * pitch + column;
      if (arguments.by_window) {
        store_window(arguments, lattice, pixel, from, pitch, channel);
      } else {
        store_pixel(arguments, lattice, lattice.place(pixel, false), from, channel);
      }
    }
    __syncwarp();  // the sums are read before the next tile's come
  }
}

}  // namespace plume::kernels::cuda
