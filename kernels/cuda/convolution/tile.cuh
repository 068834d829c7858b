// The block tile of the convolution kernels: its shape, its place in shared memory, and the loop that keeps loads ahead
// of products.
#pragma once

#include <cstddef>

#include "device_language.hpp"

namespace plume::kernels::cuda {

// rows x width sums, in warp tiles of which each holds row_tiles x column_tiles products of 16 x 8.
template <int width_>
struct Tile {
  static constexpr int width = width_;
  static constexpr int rows = 128;
  static constexpr int threads = width == 128 ? 256 : 128;
  static constexpr int warp_rows = width >= 64 ? 64 : 32;
  static constexpr int warp_columns = width >= 32 ? 32 : 16;
  static constexpr int row_tiles = warp_rows / 16;
  static constexpr int column_tiles = warp_columns / 8;
  // Blocks that a multiprocessor's registers must hold, so that their loads and products overlap.
  static constexpr int resident = width == 128 ? 2 : 3;
  static constexpr int stages = 4;
  // Of both operands, 64 bytes of depth for each row and column of the tile.
  static constexpr std::size_t shared_bytes = std::size_t{stages} * (rows + width) * 64;

  using Sums = float[row_tiles][column_tiles][4];

  // Where the calling thread's warp works.
  __device__ static int first_row() { return static_cast<int>(threadIdx.x) / 32 % (rows / warp_rows) * warp_rows; }
  __device__ static int first_column() {
    return static_cast<int>(threadIdx.x) / 32 / (rows / warp_rows) * warp_columns;
  }
};

// The place of a 16-byte group in a row of `groups` of them: eight neighbouring rows have the same group in eight
// different banks of 16 bytes.
template <int groups>
__device__ int swizzled(int row, int group) {
  constexpr int distinct = groups < 8 ? groups : 8;
  return group ^ (row / (8 / distinct)) % distinct;
}

// operands.load(stage) brings the next chunk, operands.multiply(stage, sums) adds its products. Loads are issued
// stages - 1 chunks ahead. On return the stages' memory may still be read by other threads.
template <int stages, class Operands, class Sums>
__device__ void run_pipeline(Operands& operands, int chunks, Sums& sums) {
  for (int chunk = 0; chunk < stages - 1; ++chunk) {
    if (in_bounds(chunk < chunks)) operands.load(chunk);
    cp_async_commit();
  }
  for (int chunk = 0; chunk < chunks; ++chunk) {
    if (chunk == stages) PLUME_COVER(wrapped);
    cp_async_wait<stages - 2>();
    __syncthreads();  // the chunk is there for all, and all are done with the one before
    const int ahead = chunk + stages - 1;
    if (in_bounds(ahead < chunks)) operands.load(ahead % stages);
    cp_async_commit();
    operands.multiply(chunk % stages, sums);
  }
}

}  // namespace plume::kernels::cuda
