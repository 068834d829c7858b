// Twofold enlargement on CUDA.
#include "device_language.hpp"
#include "kernels/cuda/pack.cuh"
#include "kernels/cuda/pixel_grid.cuh"
#include "kernels/cuda/taps.cuh"
#include "kernels/cuda/window.cuh"
#include "kernels/upsample.hpp"

namespace plume::kernels {
namespace cuda {
namespace {

template <int N, class T, Interpolation interpolation>
__global__ void __launch_bounds__(block_threads) upsample_kernel(Image<T> out, Image<const T> in) {
  const int channel = first_channel<N>();
  if (!in_bounds(channel < out.c)) return;
  for_pixels(static_cast<unsigned>(out.pixels()), [&](unsigned pixel) {
    const Place place = place_of(pixel, out.h, out.w);
    Floats<N> sum{};
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const Tap row = input_tap<interpolation>(place.row, in.h, j / 2);
      const Tap column = input_tap<interpolation>(place.column, in.w, j % 2);
      const float weight = row.weight * column.weight;
      if (weight != 0) add_weighted(sum, weight, in.at(place.image, row.position, column.position) + channel);
    }
    store(out.data + pixel * out.stride + channel, sum);
  });
}

template <Interpolation interpolation, class T>
void forward(Image<T> out, Image<const T> in, CudaStream& stream) {
  constexpr int N = pack_size<T>;
  if (packs(out) && packs(in)) {
    launch<upsample_kernel<N, T, interpolation>>(pixel_grid(out.pixels(), out.c / N, stream), stream, out, in);
  } else {
    launch<upsample_kernel<1, T, interpolation>>(pixel_grid(out.pixels(), out.c, stream), stream, out, in);
  }
}

}  // namespace
}  // namespace cuda

template <class T>
void upsample_forward(Image<T> out, Image<const T> in, Interpolation interpolation, CudaStream& stream) {
  if (out.pixels() == 0) return;
  switch (interpolation) {
    case Interpolation::nearest: return cuda::forward<Interpolation::nearest>(out, in, stream);
    case Interpolation::bilinear: return cuda::forward<Interpolation::bilinear>(out, in, stream);
    case Interpolation::aligned: return cuda::forward<Interpolation::aligned>(out, in, stream);
  }
}

template void upsample_forward(Image<float>, Image<const float>, Interpolation, CudaStream&);
template void upsample_forward(Image<bf16>, Image<const bf16>, Interpolation, CudaStream&);

}  // namespace plume::kernels
