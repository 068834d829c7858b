// The gradient of a twofold enlargement on CUDA.
#include "device_language.hpp"
#include "kernels/cuda/pack.cuh"
#include "kernels/cuda/pixel_grid.cuh"
#include "kernels/cuda/taps.cuh"
#include "kernels/cuda/window.cuh"
#include "kernels/upsample.hpp"

namespace plume::kernels {
namespace cuda {
namespace {

// The first of at most four outputs that an input row or column flows into.
template <Interpolation interpolation>
__device__ int first_output(int input, int inputs) {
  if constexpr (interpolation != Interpolation::aligned) return 2 * input - 1;
  return input == 0 ? 0 : (input - 1) * (2 * inputs - 1) / (inputs - 1) + 1;
}

// Tap k of them.
template <Interpolation interpolation>
__device__ Tap output_tap(int input, int inputs, int k) {
  const int output = first_output<interpolation>(input, inputs) + k;
  if (!in_bounds(output >= 0) || !in_bounds(output < 2 * inputs)) return {0, 0.0F};
  float weight = 0;
#pragma unroll
  for (int j = 0; j < 2; ++j) {
    const Tap tap = input_tap<interpolation>(output, inputs, j);
    weight += tap.position == input ? tap.weight : 0.0F;
  }
  return {output, weight};
}

template <int N, class T, Interpolation interpolation>
__global__ void __launch_bounds__(block_threads)
    upsample_gradient_kernel(Image<T> grad_in, Image<const T> grad_out, bool add) {
  const int channel = first_channel<N>();
  if (!in_bounds(channel < grad_in.c)) return;
  for_pixels(static_cast<unsigned>(grad_in.pixels()), [&](unsigned pixel) {
    const Place place = place_of(pixel, grad_in.h, grad_in.w);
    Floats<N> sum{};
#pragma unroll
    for (int j = 0; j < 16; ++j) {
      const Tap row = output_tap<interpolation>(place.row, grad_in.h, j / 4);
      const Tap column = output_tap<interpolation>(place.column, grad_in.w, j % 4);
      const float weight = row.weight * column.weight;
      if (weight != 0) add_weighted(sum, weight, grad_out.at(place.image, row.position, column.position) + channel);
    }
    store(grad_in.data + pixel * grad_in.stride + channel, sum, add);
  });
}

template <Interpolation interpolation, class T>
void backward(Image<T> grad_in, Image<const T> grad_out, bool add, CudaStream& stream) {
  constexpr int N = pack_size<T>;
  if (packs(grad_in) && packs(grad_out)) {
    launch<upsample_gradient_kernel<N, T, interpolation>>(pixel_grid(grad_in.pixels(), grad_in.c / N, stream), stream,
                                                          grad_in, grad_out, add);
  } else {
    launch<upsample_gradient_kernel<1, T, interpolation>>(pixel_grid(grad_in.pixels(), grad_in.c, stream), stream,
                                                          grad_in, grad_out, add);
  }
}

}  // namespace
}  // namespace cuda

template <class T>
void upsample_backward(Image<T> grad_in, Image<const T> grad_out, Interpolation interpolation, bool add,
                       CudaStream& stream) {
  if (grad_in.pixels() == 0) return;
  switch (interpolation) {
    case Interpolation::nearest: return cuda::backward<Interpolation::nearest>(grad_in, grad_out, add, stream);
    case Interpolation::bilinear: return cuda::backward<Interpolation::bilinear>(grad_in, grad_out, add, stream);
    case Interpolation::aligned: return cuda::backward<Interpolation::aligned>(grad_in, grad_out, add, stream);
  }
}

template void upsample_backward(Image<float>, Image<const float>, Interpolation, bool, CudaStream&);
template void upsample_backward(Image<bf16>, Image<const bf16>, Interpolation, bool, CudaStream&);

}  // namespace plume::kernels
