// Runs of neighbouring pixels of one channel that a thread takes at a time: one 16-byte access where memory is dense
// and aligned, else an access per pixel. Runs are as long either way, so that sums do not depend on where memory lies.
#pragma once

#include <cstddef>

#include "kernels/cuda/aligned.hpp"
#include "kernels/cuda/loss/pixel.cuh"
#include "kernels/cuda/pack.cuh"

namespace plume::kernels::cuda {

// Whether runs of `length` pixels are one access in each of these; absent ones count as such.
template <class T>
[[nodiscard]] bool dense_runs(Image<T> image, int length) {
  return !image.data || (image.stride == 1 && aligned_to(image.data, length));
}
template <class T>
[[nodiscard]] bool dense_runs(const PixelTargets<T>& targets, int length) {
  return aligned_to(targets.labels, length) && (!targets.weights || aligned_to(targets.weights, length));
}

// The pixels [first, first + count) of an image, count <= N.
template <int N>
struct PixelRun {
  std::ptrdiff_t first;
  int count;

  __device__ PixelRun(std::ptrdiff_t number, std::ptrdiff_t pixels)
      : first(number * N), count(pixels - first < N ? static_cast<int>(pixels - first) : N) {}
};

// 0 behind the run's end.
template <bool dense, int N, class T>
__device__ Floats<N> load_run(const T* from, std::ptrdiff_t stride, PixelRun<N> run) {
  if (dense && in_bounds(run.count == N)) return load<N>(from + run.first);
  Floats<N> result;
#pragma unroll
  for (int i = 0; i < N; ++i)
    result[i] = in_bounds(i < run.count) ? static_cast<float>(from[(run.first + i) * stride]) : 0.0F;
  return result;
}

// to (+)= values
template <bool dense, int N, class T>
__device__ void store_run(T* to, std::ptrdiff_t stride, PixelRun<N> run, const Floats<N>& values, bool add) {
  if (dense && in_bounds(run.count == N)) return store(to + run.first, values, add);
#pragma unroll
  for (int i = 0; i < N; ++i) {
    if (!in_bounds(i < run.count)) break;
    put(to[(run.first + i) * stride], values[i], add);
  }
}

// What the labels of a run mean: its weights, 0 where ignored, and y.
template <int N>
struct RunTargets {
  Floats<N> weight;
  Floats<N> truth;
};
template <bool dense, int N, class T>
__device__ RunTargets<N> load_targets(const PixelTargets<T>& targets, PixelRun<N> run) {
  const Floats<N> label = load_run<dense>(targets.labels, 1, run);
  Floats<N> given;
  if (targets.weights) given = load_run<dense>(targets.weights, 1, run);
  RunTargets<N> result;
#pragma unroll
  for (int i = 0; i < N; ++i) {
    const bool counts = in_bounds(i < run.count) && label[i] != static_cast<float>(ignore_label);
    result.weight[i] = !counts ? 0.0F : targets.weights ? given[i] : 1.0F;
    if (targets.class_weights && counts) result.weight[i] *= targets.class_weights[static_cast<int>(label[i])];
    result.truth[i] = label[i] == 1.0F ? 1.0F : 0.0F;
    if (targets.soft && counts) result.truth[i] = targets.soft[static_cast<int>(label[i])];
  }
  return result;
}

}  // namespace plume::kernels::cuda
