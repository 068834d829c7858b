// Losses that are means over pixels, by weight: the weights' sum first, then the loss's own pass over the logits, whose
// blocks each leave a sum of losses, then the value.
#pragma once

#include "kernels/cuda/loss/pixel_run.cuh"
#include "kernels/cuda/sums.cuh"

namespace plume::kernels::cuda {

inline constexpr int weight_run = 16;  // labels are bytes

template <class T, bool dense>
__global__ void __launch_bounds__(sum_threads)
    sum_weights(double* sums, PixelTargets<T> targets, std::ptrdiff_t pixels) {
  double sum[1] = {0};
  for_share((pixels + weight_run - 1) / weight_run, [&](std::ptrdiff_t item) {
    const PixelRun<weight_run> run(item, pixels);
    const auto weight = load_targets<dense>(targets, run).weight;
    for (int i = 0; i < weight_run; ++i) sum[0] += static_cast<double>(weight[i]);
  });
  block_sums(sum);
  if (threadIdx.x == 0) sums[blockIdx.x] = sum[0];
}

// What a loss's pass over the logits is given.
struct MeanPass {
  const double* weight_sums;
  int weight_blocks;
  double* loss_sums;  // one per block of the pass
};

// The gradient's factor for a pixel of weight 1. By the whole block.
template <class T>
__device__ float gradient_factor(const LossOutput<T>& output, const MeanPass& pass) {
  const double total = total_of(pass.weight_sums, pass.weight_blocks);
  return total > 0 ? static_cast<float>(output.weight * output.scale / total) : 0.0F;
}

__device__ inline void put_loss_sum(const MeanPass& pass, double loss) {
  double sum[1] = {loss};
  block_sums(sum);
  if (threadIdx.x == 0) pass.loss_sums[blockIdx.x] = sum[0];
}

// one block
template <class T>
__global__ void __launch_bounds__(sum_threads) finish_mean(LossOutput<T> output, MeanPass pass, int loss_blocks) {
  const double total = total_of(pass.weight_sums, pass.weight_blocks);
  const double loss = total_of(pass.loss_sums, loss_blocks);
  if (threadIdx.x == 0) put_value(output, total > 0 ? loss / total : 0.0);
}

// launch_pass(shape, pass) runs the loss's own kernel over `items` of its pixels.
template <class T, class LaunchPass>
void weighted_mean(const LossOutput<T>& output, std::ptrdiff_t pixels, const PixelTargets<T>& targets,
                   std::ptrdiff_t items, CudaStream& stream, const LaunchPass& launch_pass) {
  const int weight_blocks = sum_blocks((pixels + weight_run - 1) / weight_run);
  const int loss_blocks = sum_blocks(items);
  auto* sums = stream.state().scratch(CudaStream::State::partials).take<double>(2 * most_sums);
  if (dense_runs(targets, weight_run)) {
    launch<sum_weights<T, true>>(sum_shape(weight_blocks), stream, sums, targets, pixels);
  } else {
    launch<sum_weights<T, false>>(sum_shape(weight_blocks), stream, sums, targets, pixels);
  }
  const MeanPass pass{sums, weight_blocks, sums + most_sums};
  launch_pass(sum_shape(loss_blocks), pass);
  launch<finish_mean<T>>(sum_shape(1), stream, output, pass, loss_blocks);
}

}  // namespace plume::kernels::cuda
