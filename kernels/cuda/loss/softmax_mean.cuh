// Losses of several channels that are means over pixels: value and gradient in one pass over the logits, a thread per
// pixel.
#pragma once

#include "kernels/cuda/loss/softmax_pixel.cuh"
#include "kernels/cuda/loss/weighted_mean.cuh"
#include "kernels/loss_bodies.hpp"

namespace plume::kernels::cuda {

template <class T, class Body>
__global__ void __launch_bounds__(sum_threads)
    softmax_pass(LossOutput<T> output, Image<const T> logits, PixelTargets<T> targets, typename Body::Settings settings,
                 MeanPass pass) {
  const float factor = gradient_factor(output, pass);
  double loss = 0;
  for_share(logits.pixels(), [&](std::ptrdiff_t pixel) {
    T* to = output.grad.data ? output.grad.data + pixel * output.grad.stride : nullptr;
    if (targets.labels[pixel] == ignore_label) {
      for (int c = 0; to && c < logits.c; ++c) put(to[c], 0.0F, output.add_grad);
      return;
    }
    const float weight = weight_of(targets, pixel);
    const SoftmaxLogits<T> softmax(logits.data + pixel * logits.stride, logits.c);
    const Body body(settings, softmax, targets.labels[pixel]);
    if (weight != 0) loss += static_cast<double>(weight * body.loss(softmax));
    for (int c = 0; to && c < logits.c; ++c) put(to[c], factor * weight * body.slope(softmax, c), output.add_grad);
  });
  put_loss_sum(pass, loss);
}

template <class Body, class T>
void softmax_mean(const LossOutput<T>& output, Image<const T> logits, const PixelTargets<T>& targets,
                  const typename Body::Settings& settings, CudaStream& stream) {
  weighted_mean(output, logits.pixels(), targets, logits.pixels(), stream,
                [&](const LaunchShape& shape, const MeanPass& pass) {
                  launch<softmax_pass<T, Body>>(shape, stream, output, logits, targets, settings, pass);
                });
}

}  // namespace plume::kernels::cuda
