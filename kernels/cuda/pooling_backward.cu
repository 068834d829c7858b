// Max-pooling's gradient on CUDA, a thread per window and pack of channels.
#include "device_language.hpp"
#include "kernels/cuda/pack.cuh"
#include "kernels/cuda/pixel_grid.cuh"
#include "kernels/cuda/window.cuh"
#include "kernels/pooling.hpp"

namespace plume::kernels {
namespace cuda {
namespace {

template <int N, class T>
__global__ void __launch_bounds__(block_threads)
    max_pool_gradient_kernel(Image<T> grad_in, Image<const T> grad_out, const std::uint8_t* index, bool add) {
  const int channel = first_channel<N>();
  if (!in_bounds(channel < grad_in.c)) return;
  for_pixels(static_cast<unsigned>(window_count(grad_in)), [&](unsigned pixel) {
    const Place window = place_of(pixel, windows_along(grad_in.h), windows_along(grad_in.w));
    Floats<N> gradient{};
    Pack<std::uint8_t, N> which{};
    if (in_bounds(contains(grad_out, window))) {
      gradient = load<N>(at(grad_out, window) + channel);
      which = load_index<N>(index, grad_out, window, channel);
    }
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      const Place place = pixel_of(window, k);
      if (!in_bounds(contains(grad_in, place))) continue;
      Floats<N> share;
#pragma unroll
      for (int i = 0; i < N; ++i) share[i] = which.values[i] == k ? gradient[i] : 0.0F;
      store(at(grad_in, place) + channel, share, add);
    }
  });
}

}  // namespace
}  // namespace cuda

template <class T>
void max_pool_backward(Image<T> grad_in, Image<const T> grad_out, const std::uint8_t* index, bool add,
                       CudaStream& stream) {
  const std::ptrdiff_t windows = cuda::window_count(grad_in);
  if (windows == 0) return;
  constexpr int N = cuda::pack_size<T>;
  if (cuda::packs(grad_in) && cuda::packs(grad_out) && cuda::packs_index(index, N)) {
    cuda::launch<cuda::max_pool_gradient_kernel<N, T>>(cuda::pixel_grid(windows, grad_in.c / N, stream), stream,
                                                       grad_in, grad_out, index, add);
  } else {
    cuda::launch<cuda::max_pool_gradient_kernel<1, T>>(cuda::pixel_grid(windows, grad_in.c, stream), stream, grad_in,
                                                       grad_out, index, add);
  }
}

template void max_pool_backward(Image<float>, Image<const float>, const std::uint8_t*, bool, CudaStream&);
template void max_pool_backward(Image<bf16>, Image<const bf16>, const std::uint8_t*, bool, CudaStream&);

}  // namespace plume::kernels
