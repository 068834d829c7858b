// Batch normalisation forward on CUDA, alone or with a 2x2 max-pool behind it.
#include "device_language.hpp"
#include "kernels/batch_norm.hpp"
#include "kernels/cuda/batch_norm.cuh"
#include "kernels/cuda/pack.cuh"
#include "kernels/cuda/pixel_grid.cuh"
#include "kernels/cuda/window.cuh"
#include "kernels/functors.hpp"

namespace plume::kernels {
namespace cuda {
namespace {

template <int N>
__device__ void normalize_pack(Floats<N>& values, const Normalization<N>& norm, bool relu) {
#pragma unroll
  for (int i = 0; i < N; ++i) {
    values[i] = norm(values[i], i);
    if (relu) values[i] = ReluBody{}(values[i]);
  }
}

template <int N, class T>
__global__ void __launch_bounds__(block_threads)
    normalize_kernel(Image<T> y, Image<const T> x, NormParameters parameters, bool relu) {
  const int channel = first_channel<N>();
  if (!in_bounds(channel < y.c)) return;
  const Normalization<N> norm(parameters, channel);
  for_pixels(static_cast<unsigned>(y.pixels()), [&](unsigned pixel) {
    Floats<N> values = load<N>(x.data + pixel * x.stride + channel);
    normalize_pack(values, norm, relu);
    store(y.data + pixel * y.stride + channel, values);
  });
}

// The maximum is taken over y as it is stored, so that it is max_pool_forward's to the bit.
template <int N, class T>
__global__ void __launch_bounds__(block_threads, 3)
    normalize_pool_kernel(Image<T> y, Image<T> pooled, std::uint8_t* index, Image<const T> x, NormParameters parameters,
                          bool relu) {
  const int channel = first_channel<N>();
  if (!in_bounds(channel < y.c)) return;
  const Normalization<N> norm(parameters, channel);
  for_pixels(static_cast<unsigned>(window_count(y)), [&](unsigned pixel) {
    const Place window = place_of(pixel, windows_along(y.h), windows_along(y.w));
    // One number leads to a pixel in x and in y: two addresses for each of the four would not fit in registers.
    const std::ptrdiff_t first = number_of(y, pixel_of(window, 0));
    const auto number = [&](int k) { return first + k / 2 * y.w + k % 2; };
    Floats<N> values[4];
#pragma unroll
    for (int k = 0; k < 4; ++k) {  // all loads before the first store, which might be to the same memory
      values[k] =
          in_bounds(contains(y, pixel_of(window, k))) ? load<N>(x.data + number(k) * x.stride + channel) : Floats<N>{};
    }
    Largest<N> largest;
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      normalize_pack(values[k], norm, relu);
#pragma unroll
      for (int i = 0; i < N; ++i) values[k][i] = static_cast<float>(static_cast<T>(values[k][i]));
      largest.take(values[k], k);
      if (in_bounds(contains(y, pixel_of(window, k)))) store(y.data + number(k) * y.stride + channel, values[k]);
    }
    if (!in_bounds(contains(pooled, window))) return;
    store(at(pooled, window) + channel, largest.value);
    if (index != nullptr) store_index(index, pooled, window, channel, largest.index);
  });
}

}  // namespace
}  // namespace cuda

template <class T>
void normalize(Image<T> y, Image<const T> x, const Wide<T>* mean, const Wide<T>* inverse_std, const Wide<T>* gamma,
               const Wide<T>* beta, bool relu, CudaStream& stream) {
  if (y.pixels() == 0) return;
  const cuda::NormParameters parameters{mean, inverse_std, gamma, beta};
  constexpr int N = cuda::pack_size<T>;
  if (cuda::packs(y) && cuda::packs(x)) {
    cuda::launch<cuda::normalize_kernel<N, T>>(cuda::pixel_grid(y.pixels(), y.c / N, stream), stream, y, x, parameters,
                                               relu);
  } else {
    cuda::launch<cuda::normalize_kernel<1, T>>(cuda::pixel_grid(y.pixels(), y.c, stream), stream, y, x, parameters,
                                               relu);
  }
}

template <class T>
void normalize_pool(Image<T> y, Image<T> pooled, std::uint8_t* index, Image<const T> x, const Wide<T>* mean,
                    const Wide<T>* inverse_std, const Wide<T>* gamma, const Wide<T>* beta, bool relu,
                    CudaStream& stream) {
  const std::ptrdiff_t windows = cuda::window_count(y);
  if (windows == 0) return;
  const cuda::NormParameters parameters{mean, inverse_std, gamma, beta};
  constexpr int N = cuda::pack_size<T>;
  if (cuda::packs(y) && cuda::packs(x) && cuda::packs(pooled) && cuda::packs_index(index, N)) {
    cuda::launch<cuda::normalize_pool_kernel<N, T>>(cuda::pixel_grid(windows, y.c / N, stream), stream, y, pooled,
                                                    index, x, parameters, relu);
  } else {
    cuda::launch<cuda::normalize_pool_kernel<1, T>>(cuda::pixel_grid(windows, y.c, stream), stream, y, pooled, index, x,
                                                    parameters, relu);
  }
}

template void normalize<float>(Image<float>, Image<const float>, const float*, const float*, const float*, const float*,
                               bool, CudaStream&);
template void normalize<bf16>(Image<bf16>, Image<const bf16>, const float*, const float*, const float*, const float*,
                              bool, CudaStream&);
template void normalize_pool<float>(Image<float>, Image<float>, std::uint8_t*, Image<const float>, const float*,
                                    const float*, const float*, const float*, bool, CudaStream&);
template void normalize_pool<bf16>(Image<bf16>, Image<bf16>, std::uint8_t*, Image<const bf16>, const float*,
                                   const float*, const float*, const float*, bool, CudaStream&);

}  // namespace plume::kernels
