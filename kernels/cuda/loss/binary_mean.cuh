// Losses of one channel that are means over pixels: value and gradient in one pass over the logits.
#pragma once

#include "kernels/cuda/loss/weighted_mean.cuh"
#include "kernels/loss_bodies.hpp"

namespace plume::kernels::cuda {

// The second bound keeps ptxas from spilling for the sake of more blocks than help.
template <class T, class Body, bool dense>
__global__ void __launch_bounds__(sum_threads, 4)
    binary_pass(LossOutput<T> output, Image<const T> logits, PixelTargets<T> targets, Body body, MeanPass pass) {
  constexpr int N = pack_size<T>;
  const float factor = gradient_factor(output, pass);
  double loss = 0;
  for_share((logits.pixels() + N - 1) / N, [&](std::ptrdiff_t item) {
    const PixelRun<N> run(item, logits.pixels());
    const Floats<N> z = load_run<dense>(logits.data, logits.stride, run);
    const RunTargets<N> target = load_targets<dense>(targets, run);
    Floats<N> gradient;
#pragma unroll
    for (int i = 0; i < N; ++i) {
      if (target.weight[i] != 0) loss += static_cast<double>(target.weight[i] * body.loss(z[i], target.truth[i]));
      gradient[i] = factor * target.weight[i] * body.slope(z[i], target.truth[i]);
    }
    if (output.grad.data) store_run<dense>(output.grad.data, output.grad.stride, run, gradient, output.add_grad);
  });
  put_loss_sum(pass, loss);
}

template <class T, class Body>
void binary_mean(const LossOutput<T>& output, Image<const T> logits, const PixelTargets<T>& targets, const Body& body,
                 CudaStream& stream) {
  constexpr int N = pack_size<T>;
  const bool dense = dense_runs(logits, N) && dense_runs(output.grad, N) && dense_runs(targets, N);
  weighted_mean(output, logits.pixels(), targets, (logits.pixels() + N - 1) / N, stream,
                [&](const LaunchShape& shape, const MeanPass& pass) {
                  if (dense) {
                    launch<binary_pass<T, Body, true>>(shape, stream, output, logits, targets, body, pass);
                  } else {
                    launch<binary_pass<T, Body, false>>(shape, stream, output, logits, targets, body, pass);
                  }
                });
}

}  // namespace plume::kernels::cuda
