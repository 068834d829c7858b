// What Dice is made of on CUDA: per class the sums of its first pass, and from them the slopes of its second.
#pragma once

#include "kernels/cuda/loss/pixel.cuh"
#include "kernels/cuda/sums.cuh"

namespace plume::kernels::cuda {

// The first pass's sums: per class `blocks` intersections, then as many totals of probabilities and labels.
struct OverlapSums {
  double* sums;
  int blocks;
  int classes;

  [[nodiscard]] __device__ double* intersections(int c) const { return sums + std::ptrdiff_t{2} * c * blocks; }
  [[nodiscard]] __device__ double* totals(int c) const { return intersections(c) + blocks; }
};

// The loss's derivative by a probability of this class, for a pixel of weight 1.
struct DiceSlope {
  float miss;  // where the label is another
  float hit;
};

// One warp to a class, class after class.
// one block
template <class T>
__global__ void __launch_bounds__(sum_threads)
    finish_dice(LossOutput<T> output, DiceSlope* slopes, OverlapSums overlaps, double smooth) {
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
    const double part = 2 * warp_sum(intersection) + smooth;
    const double whole = warp_sum(total) + smooth;
    if (lane != 0) continue;
    const bool any = whole > 0;
    const double scale = output.weight * output.scale / overlaps.classes;
    const double miss = any ? part / (whole * whole) : 0;
    loss[0] += any ? 1 - part / whole : 0;
    slopes[c] = {static_cast<float>(scale * miss), static_cast<float>(any ? scale * (miss - 2 / whole) : 0)};
  }
  block_sums(loss);
  if (threadIdx.x == 0) put_value(output, loss[0] / overlaps.classes);
}

}  // namespace plume::kernels::cuda
