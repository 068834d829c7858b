// How kernels over NHWC images share work: a block's threads are rows of pixels by columns of channel packs, so that a
// warp reads neighbouring memory, no index needs a division, and a thread keeps its channels while it steps over pixels.
#pragma once

#include <algorithm>

#include "device_language.hpp"
#include "kernels/cuda/pack.cuh"
#include "kernels/cuda/pixel_count.hpp"

namespace plume::kernels::cuda {

inline constexpr int block_threads = 256;  // at most; whole rows of them

[[nodiscard]] constexpr int ceil_div(int a, int b) {
  return (a + b - 1) / b;
}

// Blocks of the given number of channel packs; blockIdx.y picks the packs. The grid's x is left at 1.
[[nodiscard]] inline LaunchShape block_of_packs(int packs) {
  constexpr int widest = 32;  // 512 bytes of a pixel: enough for whole memory transactions, and 8 rows are left
  const int groups = ceil_div(packs, widest);
  const int columns = ceil_div(packs, groups);
  LaunchShape shape;
  shape.grid = dim3(1, static_cast<unsigned>(groups));
  shape.block = dim3(static_cast<unsigned>(columns), static_cast<unsigned>(block_threads / columns));
  return shape;
}

// One thread per pixel and channel pack while that fits the device, else each takes several pixels.
[[nodiscard]] inline LaunchShape pixel_grid(std::ptrdiff_t pixels, int packs, CudaStream& stream) {
  LaunchShape shape = block_of_packs(packs);
  const unsigned needed = (static_cast<unsigned>(pixel_count(pixels)) + shape.block.y - 1) / shape.block.y;
  const auto resident = static_cast<unsigned>(8 * stream.state().multiprocessors);  // blocks of 256 threads
  shape.grid.x = std::clamp(resident / shape.grid.y, 1U, std::max(needed, 1U));
  return shape;
}

// The calling thread's first channel; its pack lies behind the last channel where the columns do not divide the packs.
template <int N>
__device__ int first_channel() {
  return static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x) * N;
}

__device__ inline unsigned first_pixel() {
  return blockIdx.x * blockDim.y + threadIdx.y;
}

// body(pixel) for the calling thread's share of [0, pixels).
template <class Body>
__device__ void for_pixels(unsigned pixels, const Body& body) {
  const unsigned step = gridDim.x * blockDim.y;
  for (unsigned pixel = first_pixel(); in_bounds(pixel < pixels); pixel += step) {
    if (pixel >= step) PLUME_COVER(wrapped);
    body(pixel);
  }
}

}  // namespace plume::kernels::cuda
