// Sums over pixels or elements on CUDA: every block sums its share in f64 and leaves that in scratch memory; whoever
// needs the total adds the blocks' sums. The order depends on the shape alone, so that every run gives the same bits.
#pragma once

#include <algorithm>
#include <cstddef>

#include "device_language.hpp"

namespace plume::kernels::cuda {

inline constexpr int sum_threads = 256;
inline constexpr int warp_threads = 32;
inline constexpr std::ptrdiff_t most_sums = 512;  // blocks, a few for every multiprocessor of today's devices

// Blocks for `count` items, two or more for each thread.
[[nodiscard]] inline int sum_blocks(std::ptrdiff_t count) {
  constexpr std::ptrdiff_t block_items = 2 * sum_threads;
  return static_cast<int>(std::clamp<std::ptrdiff_t>((count + block_items - 1) / block_items, 1, most_sums));
}

[[nodiscard]] inline LaunchShape sum_shape(int blocks) {
  return {dim3(static_cast<unsigned>(blocks)), dim3(sum_threads)};
}

// The sum over a warp's lanes, known to all of them.
__device__ inline double warp_sum(double value) {
  for (int distance = warp_threads / 2; distance > 0; distance /= 2) {
    value += __shfl_xor_sync(0xFFFFFFFFU, value, distance);
  }
  return value;
}

// values[i] becomes the sum over the block's threads, known to all of them.
template <int count>
__device__ void block_sums(double (&values)[count]) {
  constexpr int warps = sum_threads / warp_threads;
  PLUME_SHARED(double, sums, count* warps);
  const unsigned warp = threadIdx.x / warp_threads;
  for (int i = 0; i < count; ++i) {
    values[i] = warp_sum(values[i]);
    if (threadIdx.x % warp_threads == 0) sums[i * warps + static_cast<int>(warp)] = values[i];
  }
  __syncthreads();
  for (int i = 0; i < count; ++i) {
    values[i] = 0;
    for (int w = 0; w < warps; ++w) values[i] += sums[i * warps + w];
  }
  __syncthreads();  // the next call writes `sums` again
}

// The total of what `blocks` blocks left in `sums`, known to the whole block.
__device__ inline double total_of(const double* sums, int blocks) {
  double total[1] = {0};
  for (int i = static_cast<int>(threadIdx.x); in_bounds(i < blocks); i += sum_threads) {
    if (i >= sum_threads) PLUME_COVER(wrapped);
    total[0] += sums[i];
  }
  block_sums(total);
  return total[0];
}

// body(item) for the calling thread's share of [0, count).
template <class Body>
__device__ void for_share(std::ptrdiff_t count, const Body& body) {
  const auto step = static_cast<std::ptrdiff_t>(gridDim.x) * sum_threads;
  for (auto item = static_cast<std::ptrdiff_t>(blockIdx.x) * sum_threads + threadIdx.x; in_bounds(item < count);
       item += step) {
    if (item >= step) PLUME_COVER(wrapped);
    body(item);
  }
}

}  // namespace plume::kernels::cuda
