// Sums over the threads before one, on CUDA.
#pragma once

#include "device_language.hpp"
#include "kernels/cuda/sums.cuh"

namespace plume::kernels::cuda {

// The sum over the warp's lanes before this one.
__device__ inline unsigned sum_before_lane(unsigned value) {
  const unsigned lane = threadIdx.x % warp_threads;
  unsigned sum = value;
  for (unsigned distance = 1; distance < warp_threads; distance *= 2) {
    const unsigned below = __shfl_up_sync(0xFFFFFFFFU, sum, distance);
    if (lane >= distance) sum += below;
  }
  return sum - value;
}

struct Prefix {
  unsigned before;  // the sum over the block's threads before this one
  unsigned total;   // over all of them
};

// Once in a kernel: nothing keeps the next call from writing `totals` while this one reads them.
__device__ inline Prefix block_prefix(unsigned value) {
  constexpr int warps = sum_threads / warp_threads;
  PLUME_SHARED(unsigned, totals, warps);
  const unsigned warp = threadIdx.x / warp_threads;
  Prefix prefix{sum_before_lane(value), 0};
  if (threadIdx.x % warp_threads == warp_threads - 1) totals[warp] = prefix.before + value;
  __syncthreads();
  for (unsigned w = 0; w < warps; ++w) {
    if (w < warp) prefix.before += totals[w];
    prefix.total += totals[w];
  }
  return prefix;
}

}  // namespace plume::kernels::cuda
