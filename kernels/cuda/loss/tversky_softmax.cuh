// The two passes of Tversky's loss on CUDA for several channels: p = softmax(z), and the loss is the mean over classes.
#pragma once

#include "kernels/cuda/loss/softmax_pixel.cuh"
#include "kernels/cuda/loss/tversky_sums.cuh"

namespace plume::kernels::cuda {

// Adds the rows of [rows][classes] sums in shared memory, a thread per element, as a tree.
__device__ inline void add_rows(double* sums, int rows, int classes) {
  const auto element = static_cast<int>(threadIdx.x);
  while (rows > 1) {
    const int half = (rows + 1) / 2;
    if (in_bounds(element < (rows - half) * classes)) sums[element] += sums[element + half * classes];
    __syncthreads();
    rows = half;
  }
}

// A tile of as many pixels as threads: first a thread per pixel finds its softmax, then a thread per class and row of
// pixels adds them up, so that neighbouring threads read neighbouring logits and no class needs a reduction of its own.
template <class T>
__global__ void __launch_bounds__(sum_threads) tversky_softmax_sums(OverlapSums overlaps, TverskySettings settings,
                                                                    Image<const T> logits, PixelTargets<T> targets) {
  PLUME_SHARED(SoftmaxPixel, softmax, sum_threads);
  PLUME_SHARED(float, weights, sum_threads);
  PLUME_SHARED(double, intersections, sum_threads);
  PLUME_SHARED(double, totals, sum_threads);
  const auto thread = static_cast<int>(threadIdx.x);
  const int classes = logits.c;
  const int rows = sum_threads / classes;
  const int c = thread % classes;
  const auto alpha = static_cast<float>(settings.alpha);
  const auto beta = static_cast<float>(settings.beta);
  double intersection = 0;
  double total = 0;
  const std::ptrdiff_t pixels = logits.pixels();
  const auto step = static_cast<std::ptrdiff_t>(gridDim.x) * sum_threads;
  for (auto first = static_cast<std::ptrdiff_t>(blockIdx.x) * sum_threads; first < pixels; first += step) {
    if (first >= step) PLUME_COVER(wrapped);
    const std::ptrdiff_t own = first + thread;
    weights[thread] = in_bounds(own < pixels) ? weight_of(targets, own) : 0.0F;
    if (in_bounds(own < pixels)) softmax[thread] = SoftmaxPixel(logits.data + own * logits.stride, classes);
    __syncthreads();
    // Threads beyond the last whole row do as others do; nobody reads their sums.
    for (int q = thread / classes; in_bounds(q < sum_threads); q += rows) {
      if (weights[q] == 0) continue;
      const float p = softmax[q].probability(static_cast<float>(logits.data[(first + q) * logits.stride + c]));
      const float truth = targets.labels[first + q] == c ? 1.0F : 0.0F;
      intersection += static_cast<double>(weights[q] * p * truth);
      total += static_cast<double>(weights[q] * (alpha * p + beta * truth));
    }
    __syncthreads();  // the next tile takes this one's place
  }
  intersections[thread] = intersection;
  totals[thread] = total;
  __syncthreads();
  add_rows(intersections, rows, classes);
  add_rows(totals, rows, classes);
  if (in_bounds(thread < classes)) {
    overlaps.intersections(c)[blockIdx.x] = intersections[c];
    overlaps.totals(c)[blockIdx.x] = totals[c];
  }
}

template <class T>
__global__ void __launch_bounds__(sum_threads)
    tversky_softmax_gradient(LossOutput<T> output, const ClassSlope* slopes, Image<const T> logits,
                             PixelTargets<T> targets) {
  for_share(logits.pixels(), [&](std::ptrdiff_t pixel) {
    const T* z = logits.data + pixel * logits.stride;
    T* to = output.grad.data + pixel * output.grad.stride;
    const int label = targets.labels[pixel];
    const float weight = weight_of(targets, pixel);
    const SoftmaxPixel softmax(z, logits.c);
    const auto slope = [&](int c) { return c == label ? slopes[c].hit : slopes[c].miss; };
    float dot = 0;
    for (int c = 0; c < logits.c; ++c) dot += slope(c) * softmax.probability(static_cast<float>(z[c]));
    for (int c = 0; c < logits.c; ++c) {
      put(to[c], weight * softmax.probability(static_cast<float>(z[c])) * (slope(c) - dot), output.add_grad);
    }
  });
}

}  // namespace plume::kernels::cuda
