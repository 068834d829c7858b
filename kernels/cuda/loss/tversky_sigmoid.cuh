// The two passes of Tversky's loss on CUDA for one channel: p = sigmoid(z), and the class is label 1.
#pragma once

#include "kernels/cuda/loss/pixel_run.cuh"
#include "kernels/cuda/loss/tversky_sums.cuh"
#include "kernels/functors.hpp"

namespace plume::kernels::cuda {

template <class T, bool dense>
__global__ void __launch_bounds__(sum_threads) tversky_sigmoid_sums(OverlapSums overlaps, TverskySettings settings,
                                                                    Image<const T> logits, PixelTargets<T> targets) {
  constexpr int N = pack_size<T>;
  const auto alpha = static_cast<float>(settings.alpha);
  const auto beta = static_cast<float>(settings.beta);
  double sums[2] = {0, 0};
  for_share((logits.pixels() + N - 1) / N, [&](std::ptrdiff_t item) {
    const PixelRun<N> run(item, logits.pixels());
    const Floats<N> z = load_run<dense>(logits.data, logits.stride, run);
    const RunTargets<N> target = load_targets<dense>(targets, run);
#pragma unroll
    for (int i = 0; i < N; ++i) {
      if (target.weight[i] == 0) continue;
      const float p = SigmoidBody{}(z[i]);
      sums[0] += static_cast<double>(target.weight[i] * p * target.truth[i]);
      sums[1] += static_cast<double>(target.weight[i] * (alpha * p + beta * target.truth[i]));
    }
  });
  block_sums(sums);
  if (threadIdx.x == 0) {
    overlaps.intersections(0)[blockIdx.x] = sums[0];
    overlaps.totals(0)[blockIdx.x] = sums[1];
  }
}

template <class T, bool dense>
__global__ void __launch_bounds__(sum_threads)
    tversky_sigmoid_gradient(LossOutput<T> output, const ClassSlope* slopes, Image<const T> logits,
                             PixelTargets<T> targets) {
  constexpr int N = pack_size<T>;
  const ClassSlope slope = slopes[0];
  for_share((logits.pixels() + N - 1) / N, [&](std::ptrdiff_t item) {
    const PixelRun<N> run(item, logits.pixels());
    const Floats<N> z = load_run<dense>(logits.data, logits.stride, run);
    const RunTargets<N> target = load_targets<dense>(targets, run);
    Floats<N> gradient;
#pragma unroll
    for (int i = 0; i < N; ++i) {
      const float p = SigmoidBody{}(z[i]);
      gradient[i] = target.weight[i] * (slope.miss + target.truth[i] * (slope.hit - slope.miss)) * (p * (1.0F - p));
    }
    store_run<dense>(output.grad.data, output.grad.stride, run, gradient, output.add_grad);
  });
}

}  // namespace plume::kernels::cuda
