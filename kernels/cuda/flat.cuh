// Kernels over flat buffers: a thread takes N neighbouring elements at a time, the last few by themselves.
#pragma once

#include <algorithm>
#include <cstddef>

#include "device_language.hpp"

namespace plume::kernels::cuda {

inline constexpr int flat_threads = 256;

// A thread per N elements while that fits the device, else each takes several. Not for sums: the grid is the device's.
[[nodiscard]] inline LaunchShape flat_grid(std::ptrdiff_t count, int elements, CudaStream& stream) {
  const std::ptrdiff_t block_elements = std::ptrdiff_t{flat_threads} * elements;
  const std::ptrdiff_t resident = 8 * stream.state().multiprocessors;  // blocks
  const std::ptrdiff_t blocks = std::clamp<std::ptrdiff_t>((count + block_elements - 1) / block_elements, 1, resident);
  return {dim3(static_cast<unsigned>(blocks)), dim3(flat_threads)};
}

// packed(first) for the calling thread's share of whole packs of N elements, single(i) for what is left.
template <int N, class Packed, class Single>
__device__ void for_flat(std::ptrdiff_t count, const Packed& packed, const Single& single) {
  const auto step = static_cast<std::ptrdiff_t>(gridDim.x) * flat_threads;
  const auto thread = static_cast<std::ptrdiff_t>(blockIdx.x) * flat_threads + threadIdx.x;
  const std::ptrdiff_t packs = count / N;
  for (std::ptrdiff_t pack = thread; in_bounds(pack < packs); pack += step) {
    if (pack >= step) PLUME_COVER(wrapped);
    packed(pack * N);
  }
  const std::ptrdiff_t rest = packs * N + thread;
  if (N > 1 && in_bounds(rest < count)) single(rest);
}

}  // namespace plume::kernels::cuda
