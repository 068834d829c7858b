// Optimiser updates on CUDA: clipping, the update, the moving average and the bf16 copy in one launch.
#include <type_traits>

#include "device_language.hpp"
#include "kernels/cuda/aligned.hpp"
#include "kernels/cuda/flat.cuh"
#include "kernels/cuda/pack.cuh"
#include "kernels/optimizer.hpp"

namespace plume::kernels {
namespace cuda {
namespace {

inline constexpr int update_elements = pack_size<float>;

// The elements [first, first + N).
template <int N, class Body>
__device__ void update(const UpdateBuffers<float>& buffers, const UpdateConstants<float, Body>& constants, float scale,
                       std::ptrdiff_t first) {
  constexpr bool has_second = std::is_same_v<Body, AdamwBody<float>>;
  Floats<N> parameter = load<N>(buffers.parameters + first);
  const Floats<N> gradient = load<N>(buffers.gradients + first);
  Floats<N> moment = load<N>(buffers.first + first);
  Floats<N> second;
  if constexpr (has_second) second = load<N>(buffers.second + first);
#pragma unroll
  for (int i = 0; i < N; ++i) {
    if constexpr (has_second) {
      constants.body(parameter[i], gradient[i] * scale, moment[i], second[i]);
    } else {
      constants.body(parameter[i], gradient[i] * scale, moment[i]);
    }
  }
  store(buffers.parameters + first, parameter);
  store(buffers.first + first, moment);
  if constexpr (has_second) store(buffers.second + first, second);
  if (buffers.copy) store(buffers.copy + first, parameter);
  if (buffers.average) {
    Floats<N> average = load<N>(buffers.average + first);
    const float keep = constants.average_decay;
#pragma unroll
    for (int i = 0; i < N; ++i) average[i] = keep * average[i] + (1.0F - keep) * parameter[i];
    store(buffers.average + first, average);
  }
}

// The second bound keeps ptxas from spilling for the sake of more blocks than help.
template <int N, class Body>
__global__ void __launch_bounds__(flat_threads, 5)
    update_kernel(UpdateBuffers<float> buffers, const UpdateConstants<float, Body>* constants, const double* squared) {
  const UpdateConstants<float, Body> values = *constants;
  const float scale = clip_scale(values.clip, squared);
  for_flat<N>(
      buffers.count, [&](std::ptrdiff_t first) { update<N>(buffers, values, scale, first); },
      [&](std::ptrdiff_t i) { update<1>(buffers, values, scale, i); });
}

template <class Body>
void update_all(const UpdateBuffers<float>& buffers, const UpdateConstants<float, Body>* constants,
                const double* squared, CudaStream& stream) {
  constexpr int N = update_elements;
  const bool packed = aligned_to(buffers.parameters, N) && aligned_to(buffers.gradients, N) &&
                      aligned_to(buffers.first, N) && aligned_to(buffers.second, N) && aligned_to(buffers.average, N) &&
                      aligned_to(buffers.copy, N);
  if (packed) {
    launch<update_kernel<N, Body>>(flat_grid(buffers.count, N, stream), stream, buffers, constants, squared);
  } else {
    launch<update_kernel<1, Body>>(flat_grid(buffers.count, 1, stream), stream, buffers, constants, squared);
  }
}

}  // namespace
}  // namespace cuda

template <class T>
void adamw_step(const UpdateBuffers<T>& buffers, const UpdateConstants<T, AdamwBody<T>>* constants,
                const double* squared, CudaStream& stream) {
  cuda::update_all(buffers, constants, squared, stream);
}

template <class T>
void sgd_step(const UpdateBuffers<T>& buffers, const UpdateConstants<T, SgdBody<T>>* constants, const double* squared,
              CudaStream& stream) {
  cuda::update_all(buffers, constants, squared, stream);
}

template void adamw_step(const UpdateBuffers<float>&, const UpdateConstants<float, AdamwBody<float>>*, const double*,
                         CudaStream&);
template void sgd_step(const UpdateBuffers<float>&, const UpdateConstants<float, SgdBody<float>>*, const double*,
                       CudaStream&);

}  // namespace plume::kernels
