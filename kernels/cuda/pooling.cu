// Max-pooling on CUDA, a thread per window and pack of channels.
#include "device_language.hpp"
#include "kernels/cuda/pack.cuh"
#include "kernels/cuda/pixel_grid.cuh"
#include "kernels/cuda/window.cuh"
#include "kernels/pooling.hpp"

namespace plume::kernels {
namespace cuda {
namespace {

template <int N, class T>
__global__ void __launch_bounds__(block_threads) max_pool_kernel(Image<T> out, std::uint8_t* index, Image<const T> in) {
  const int channel = first_channel<N>();
  if (!in_bounds(channel < out.c)) return;
  for_pixels(static_cast<unsigned>(out.pixels()), [&](unsigned pixel) {
    const Place window = place_of(pixel, out.h, out.w);
    Largest<N> largest;
#pragma unroll
    for (int k = 0; k < 4; ++k) largest.take(load<N>(at(in, pixel_of(window, k)) + channel), k);
    store(at(out, window) + channel, largest.value);
    if (index != nullptr) store_index(index, out, window, channel, largest.index);
  });
}

}  // namespace
}  // namespace cuda

template <class T>
void max_pool_forward(Image<T> out, std::uint8_t* index, Image<const T> in, CudaStream& stream) {
  if (out.pixels() == 0) return;
  constexpr int N = cuda::pack_size<T>;
  if (cuda::packs(out) && cuda::packs(in) && cuda::packs_index(index, N)) {
    cuda::launch<cuda::max_pool_kernel<N, T>>(cuda::pixel_grid(out.pixels(), out.c / N, stream), stream, out, index,
                                              in);
  } else {
    cuda::launch<cuda::max_pool_kernel<1, T>>(cuda::pixel_grid(out.pixels(), out.c, stream), stream, out, index, in);
  }
}

template void max_pool_forward(Image<float>, std::uint8_t*, Image<const float>, CudaStream&);
template void max_pool_forward(Image<bf16>, std::uint8_t*, Image<const bf16>, CudaStream&);

}  // namespace plume::kernels
