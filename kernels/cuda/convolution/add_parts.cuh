// The second stage of sums over pixels: parts of a result are added in order, whatever the order in which they were made.
#pragma once

#include <algorithm>
#include <bit>
#include <cassert>

#include "device_language.hpp"

namespace plume::kernels::cuda {

inline constexpr int add_parts_threads = 256;

// result[place(i)] (+)= the sum over parts of partials[part][i], for all i < elements with place(i) >= 0. A block has
// `lanes` threads for each element, a power of two; `elements` fill whole blocks, since tiles are whole.
template <class Place>
__global__ void __launch_bounds__(add_parts_threads)
    add_parts_kernel(float* result, const float* partials, int parts, int elements, int lanes,
                     const __grid_constant__ Place place, bool add) {
  PLUME_SHARED(float, sums, add_parts_threads);
  const int thread = static_cast<int>(threadIdx.x);
  const int width = add_parts_threads / lanes;  // elements of a block
  const int element = static_cast<int>(blockIdx.x) * width + thread % width;
  float sum = 0;
  for (int part = thread / width; in_bounds(part < parts); part += lanes) {
    if (part >= lanes) PLUME_COVER(wrapped);
    sum += partials[static_cast<std::ptrdiff_t>(part) * elements + element];
  }
  sums[thread] = sum;
  __syncthreads();
  if (!in_bounds(thread < width)) return;
  for (int lane = 1; lane < lanes; ++lane) sum += sums[lane * width + thread];
  const std::ptrdiff_t to = place(element);
  if (in_bounds(to >= 0)) result[to] = add ? result[to] + sum : sum;
}

template <class Place>
void add_parts(float* result, const float* partials, int parts, int elements, const Place& place, bool add,
               CudaStream& stream) {
  const auto lanes = static_cast<int>(std::bit_floor(static_cast<unsigned>(std::clamp(parts, 1, 8))));
  const int width = add_parts_threads / lanes;
  assert(elements % width == 0);
  const auto blocks = static_cast<unsigned>(elements / width);
  launch<add_parts_kernel<Place>>({dim3(blocks), dim3(add_parts_threads)}, stream, result, partials, parts, elements,
                                  lanes, place, add);
}

}  // namespace plume::kernels::cuda
