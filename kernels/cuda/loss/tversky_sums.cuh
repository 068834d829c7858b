// What Tversky's loss is made of on CUDA: per class the sums of its first pass, and from them the slopes of its second.
#pragma once

#include "kernels/cuda/loss/pixel.cuh"
#include "kernels/cuda/sums.cuh"
#include "kernels/tversky.hpp"

namespace plume::kernels::cuda {

// The first pass's sums: per class `blocks` intersections, then as many totals (TverskySums).
struct OverlapSums {
  double* sums;
  int blocks;
  int classes;

  [[nodiscard]] __device__ double* intersections(int c) const { return sums + std::ptrdiff_t{2} * c * blocks; }
  [[nodiscard]] __device__ double* totals(int c) const { return intersections(c) + blocks; }
};

// A TverskySlope as the second pass reads it.
struct ClassSlope {
  float miss;
  float hit;
};

// One warp to a class, class after class.
// one block
template <class T>
__global__ void __launch_bounds__(sum_threads)
    finish_tversky(LossOutput<T> output, ClassSlope* slopes, OverlapSums overlaps, TverskySettings settings) {
  const auto lane = static_cast<int>(threadIdx.x % warp_threads);
  double loss[1] = {0};
  for (auto c = static_cast<int>(threadIdx.x / warp_threads); in_bounds(c < overlaps.classes);
       c += sum_threads / warp_threads) {
    double intersection = 0;
    double total = 0;
    for (int block = lane; in_bounds(block < overlaps.blocks); block += warp_threads) {
      intersection += overlaps.intersections(c)[block];
      total += overlaps.totals(c)[block];
    }
    const TverskySums sums{warp_sum(intersection), warp_sum(total)};
    if (lane != 0) continue;
    const TverskySlope slope = sums.slope(settings, output.weight * output.scale / overlaps.classes);
    loss[0] += sums.loss(settings);
    slopes[c] = {static_cast<float>(slope.miss), static_cast<float>(slope.hit)};
  }
  block_sums(loss);
  if (threadIdx.x == 0) put_value(output, loss[0] / overlaps.classes);
}

}  // namespace plume::kernels::cuda
