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
  if (!may_update(squared)) return;
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

template <int N>
__global__ void __launch_bounds__(flat_threads, 5)
    lamb_direction_kernel(float* gradients, UpdateBuffers<float> buffers,
                          const UpdateConstants<float, LambBody<float>>* constants, const double* squared) {
  if (!may_update(squared)) return;
  const UpdateConstants<float, LambBody<float>> values = *constants;
  const float scale = clip_scale(values.clip, squared);
  const auto direct = [&]<int M>(std::integral_constant<int, M>, std::ptrdiff_t first) {
    Floats<M> gradient = load<M>(gradients + first);
    const Floats<M> parameter = load<M>(buffers.parameters + first);
    Floats<M> moment = load<M>(buffers.first + first);
    Floats<M> second = load<M>(buffers.second + first);
#pragma unroll
    for (int i = 0; i < M; ++i) {
      gradient[i] *= scale;
      values.body(gradient[i], parameter[i], moment[i], second[i]);
    }
    store(gradients + first, gradient);
    store(buffers.first + first, moment);
    store(buffers.second + first, second);
  };
  for_flat<N>(
      buffers.count, [&](std::ptrdiff_t first) { direct(std::integral_constant<int, N>(), first); },
      [&](std::ptrdiff_t i) { direct(std::integral_constant<int, 1>(), i); });
}

template <int N>
__global__ void __launch_bounds__(flat_threads)
    adapt_kernel(float* gradients, const float* parameters, std::ptrdiff_t count,
                 const UpdateConstants<float, TrustBody<float>>* constants, const double* layer,
                 const double* squared) {
  if (!may_update(squared)) return;
  const UpdateConstants<float, TrustBody<float>> values = *constants;
  const float scale = clip_scale(values.clip, squared);
  const float trust = values.body.trust(layer, scale);
  const auto adapt = [&]<int M>(std::integral_constant<int, M>, std::ptrdiff_t first) {
    Floats<M> gradient = load<M>(gradients + first);
    const Floats<M> parameter = load<M>(parameters + first);
#pragma unroll
    for (int i = 0; i < M; ++i) gradient[i] = values.body(gradient[i] * scale, parameter[i], trust);
    store(gradients + first, gradient);
  };
  for_flat<N>(
      count, [&](std::ptrdiff_t first) { adapt(std::integral_constant<int, N>(), first); },
      [&](std::ptrdiff_t i) { adapt(std::integral_constant<int, 1>(), i); });
}

template <int N>
__global__ void __launch_bounds__(flat_threads)
    average_kernel(float* average, const float* values, std::ptrdiff_t count, const float* decay,
                   const double* squared) {
  if (!may_update(squared)) return;
  const float keep = *decay;
  const auto follow = [&]<int M>(std::integral_constant<int, M>, std::ptrdiff_t first) {
    Floats<M> mean = load<M>(average + first);
    const Floats<M> value = load<M>(values + first);
#pragma unroll
    for (int i = 0; i < M; ++i) mean[i] = keep * mean[i] + (1.0F - keep) * value[i];
    store(average + first, mean);
  };
  for_flat<N>(
      count, [&](std::ptrdiff_t first) { follow(std::integral_constant<int, N>(), first); },
      [&](std::ptrdiff_t i) { follow(std::integral_constant<int, 1>(), i); });
}

}  // namespace
}  // namespace cuda

template <class T>
void moving_average(T* average, const T* values, std::ptrdiff_t count, const T* decay, const double* squared,
                    CudaStream& stream) {
  constexpr int N = cuda::update_elements;
  if (cuda::aligned_to(average, N) && cuda::aligned_to(values, N)) {
    cuda::launch<cuda::average_kernel<N>>(cuda::flat_grid(count, N, stream), stream, average, values, count, decay,
                                          squared);
  } else {
    cuda::launch<cuda::average_kernel<1>>(cuda::flat_grid(count, 1, stream), stream, average, values, count, decay,
                                          squared);
  }
}

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

template <class T>
void lamb_direction(T* gradients, const UpdateBuffers<T>& buffers, const UpdateConstants<T, LambBody<T>>* constants,
                    const double* squared, CudaStream& stream) {
  constexpr int N = cuda::update_elements;
  const bool packed = cuda::aligned_to(gradients, N) && cuda::aligned_to(buffers.parameters, N) &&
                      cuda::aligned_to(buffers.first, N) && cuda::aligned_to(buffers.second, N);
  if (packed) {
    cuda::launch<cuda::lamb_direction_kernel<N>>(cuda::flat_grid(buffers.count, N, stream), stream, gradients, buffers,
                                                 constants, squared);
  } else {
    cuda::launch<cuda::lamb_direction_kernel<1>>(cuda::flat_grid(buffers.count, 1, stream), stream, gradients, buffers,
                                                 constants, squared);
  }
}

template <class T>
void adapt_to_layer(T* gradients, const T* parameters, std::ptrdiff_t count,
                    const UpdateConstants<T, TrustBody<T>>* constants, const double* layer, const double* squared,
                    CudaStream& stream) {
  constexpr int N = cuda::update_elements;
  if (cuda::aligned_to(gradients, N) && cuda::aligned_to(parameters, N)) {
    cuda::launch<cuda::adapt_kernel<N>>(cuda::flat_grid(count, N, stream), stream, gradients, parameters, count,
                                        constants, layer, squared);
  } else {
    cuda::launch<cuda::adapt_kernel<1>>(cuda::flat_grid(count, 1, stream), stream, gradients, parameters, count,
                                        constants, layer, squared);
  }
}

template void moving_average(float*, const float*, std::ptrdiff_t, const float*, const double*, CudaStream&);
template void adamw_step(const UpdateBuffers<float>&, const UpdateConstants<float, AdamwBody<float>>*, const double*,
                         CudaStream&);
template void sgd_step(const UpdateBuffers<float>&, const UpdateConstants<float, SgdBody<float>>*, const double*,
                       CudaStream&);
template void lamb_direction(float*, const UpdateBuffers<float>&, const UpdateConstants<float, LambBody<float>>*,
                             const double*, CudaStream&);
template void adapt_to_layer(float*, const float*, std::ptrdiff_t, const UpdateConstants<float, TrustBody<float>>*,
                             const double*, const double*, CudaStream&);

}  // namespace plume::kernels
