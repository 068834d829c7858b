// Sums over pixels, per channel, in an order that the shape alone decides: each thread sums a few pixels in float, blocks
// and the whole in double. A first kernel leaves one partial sum per block in scratch memory, a second adds them.
#pragma once

#include <algorithm>

#include "device_language.hpp"
#include "kernels/across.hpp"
#include "kernels/cuda/pixel_grid.cuh"

namespace plume::kernels::cuda {

// How pixels are shared among the blocks of a first kernel: blockIdx.x is the range.
struct PixelRanges {
  LaunchShape shape;
  int pixels = 0;  // of a range; the last may have fewer
  [[nodiscard]] int count() const { return static_cast<int>(shape.grid.x); }
};

[[nodiscard]] inline PixelRanges pixel_ranges(std::ptrdiff_t pixels, int packs) {
  constexpr int most = 512;        // blocks: a few for each multiprocessor, whichever device it is
  constexpr int least_pixels = 8;  // of a thread: fewer are not worth a partial sum
  PixelRanges ranges{block_of_packs(packs)};
  const int rows = static_cast<int>(ranges.shape.block.y);
  const int blocks = std::max(most / static_cast<int>(ranges.shape.grid.y), 1);
  ranges.pixels = std::max(rows * least_pixels, ceil_div(pixel_count(pixels), blocks));
  ranges.shape.grid.x = static_cast<unsigned>(std::max(ceil_div(pixel_count(pixels), ranges.pixels), 1));
  return ranges;
}

// body(pixel) for the calling thread's pixels of its block's range, `unrolled` of them to a turn of the loop.
template <int unrolled, class Body>
__device__ void for_range(int pixels, int range_pixels, const Body& body) {
  const int first = static_cast<int>(blockIdx.x) * range_pixels;
  const int last = min(pixels - first, range_pixels) + first;
#pragma unroll unrolled
  for (int pixel = first + static_cast<int>(threadIdx.y); in_bounds(pixel < last);
       pixel += static_cast<int>(blockDim.y)) {
    if (pixel >= first + static_cast<int>(blockDim.y)) PLUME_COVER(wrapped);
    body(pixel);
  }
}

// Adds each of V values over the rows of the block, by halves; row 0's threads get the sums. For whole blocks.
template <int V>
__device__ void sum_over_rows(double (&values)[V]) {
  constexpr int half_block = block_threads / 2;
  PLUME_SHARED(double, upper, V* half_block);
  const unsigned row = threadIdx.y;
  for (unsigned active = blockDim.y; active > 1; active = (active + 1) / 2) {
    const unsigned half = (active + 1) / 2;
    if (row >= half && in_bounds(row < active)) {
      double* to = upper + (row - half) * blockDim.x + threadIdx.x;
#pragma unroll
      for (int v = 0; v < V; ++v) to[v * half_block] = values[v];
    }
    __syncthreads();
    if (in_bounds(row < active - half)) {
      const double* from = upper + row * blockDim.x + threadIdx.x;
#pragma unroll
      for (int v = 0; v < V; ++v) values[v] += from[v * half_block];
    }
    __syncthreads();
  }
}

// The end of a first kernel: values[v * N + i] of all threads become the block's partial sum v of channel + i, laid out
// [range][V][channels]. For whole blocks.
template <int V, int N>
__device__ void write_partials(double* partials, double (&values)[V * N], int channel, int channels) {
  sum_over_rows(values);
  if (threadIdx.y != 0 || !in_bounds(channel < channels)) return;
#pragma unroll
  for (int v = 0; v < V; ++v) {
    double* to = partials + (static_cast<std::ptrdiff_t>(blockIdx.x) * V + v) * channels + channel;
#pragma unroll
    for (int i = 0; i < N; ++i) to[i] = values[v * N + i];
  }
}

// The shape of a second kernel, a column of threads per channel.
[[nodiscard]] inline LaunchShape finish_shape(int channels) {
  constexpr int columns = 8;
  LaunchShape shape;
  shape.grid = dim3(static_cast<unsigned>(ceil_div(channels, columns)));
  shape.block = dim3(columns, block_threads / columns);
  return shape;
}

__device__ inline int finish_channel() {
  return static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
}

// The start of a second kernel: totals of the channel's V sums, in row 0. For whole blocks.
template <int V>
__device__ void add_partials(double (&totals)[V], const double* partials, int ranges, int channel, int channels) {
#pragma unroll
  for (int v = 0; v < V; ++v) totals[v] = 0;
  for (int range = static_cast<int>(threadIdx.y); in_bounds(channel < channels) && in_bounds(range < ranges);
       range += static_cast<int>(blockDim.y)) {
    if (range >= static_cast<int>(blockDim.y)) PLUME_COVER(wrapped);
    const double* from = partials + static_cast<std::ptrdiff_t>(range) * V * channels + channel;
#pragma unroll
    for (int v = 0; v < V; ++v) totals[v] += from[static_cast<std::ptrdiff_t>(v) * channels];
  }
  sum_over_rows(totals);
}

// Of all ranges one, and behind it the number of pixels: what ranks add up. For whole blocks of finish_shape.
template <int V>
__global__ void __launch_bounds__(block_threads)
    join_partials_kernel(double* joined, const double* partials, int ranges, int channels, double count) {
  const int channel = finish_channel();
  double totals[V];
  add_partials(totals, partials, ranges, channel, channels);
  if (threadIdx.y != 0 || !in_bounds(channel < channels)) return;
#pragma unroll
  for (int v = 0; v < V; ++v) joined[static_cast<std::ptrdiff_t>(v) * channels + channel] = totals[v];
  if (channel == 0) joined[static_cast<std::ptrdiff_t>(V) * channels] = count;
}

// Partial sums for a second kernel, and the number of pixels in them.
struct Partials {
  const double* sums;
  int ranges;
  double count;           // of this rank's pixels
  const double* counted;  // of all ranks' pixels, in their place; null: there is one rank

  [[nodiscard]] __device__ double pixels() const { return counted != nullptr ? *counted : count; }
};

// The room that joined<2> takes.
[[nodiscard]] inline std::size_t joined_values(int channels) {
  return 2 * static_cast<std::size_t>(channels) + 1;
}

// The same over all ranks. `room`: V * channels + 1 values.
template <int V>
Partials joined(const Partials& partials, AcrossRanks& across, double* room, int channels, CudaStream& stream) {
  launch<join_partials_kernel<V>>(finish_shape(channels), stream, room, partials.sums, partials.ranges, channels,
                                  partials.count);
  const std::size_t count = static_cast<std::size_t>(V) * static_cast<std::size_t>(channels);
  across.sum(room, count + 1, stream);
  return {room, 1, partials.count, room + count};
}

}  // namespace plume::kernels::cuda
