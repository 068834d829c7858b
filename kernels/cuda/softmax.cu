// The softmax over a pixel's channels on CUDA, a thread per pixel: classes are few.
#include "device_language.hpp"
#include "kernels/cuda/pixel_grid.cuh"
#include "kernels/pointwise.hpp"

namespace plume::kernels {
namespace cuda {
namespace {

template <class T>
__global__ void __launch_bounds__(block_threads) softmax_kernel(Image<T> out, Image<const T> in) {
  for_pixels(static_cast<unsigned>(out.pixels()), [&](unsigned pixel) {
    const T* x = in.data + pixel * in.stride;
    T* y = out.data + pixel * out.stride;
    float largest = x[0];
    for (int c = 1; c < in.c; ++c) largest = fmaxf(largest, x[c]);
    float sum = 0;
    for (int c = 0; c < in.c; ++c) sum += expf(static_cast<float>(x[c]) - largest);
    for (int c = 0; c < in.c; ++c) y[c] = static_cast<T>(expf(static_cast<float>(x[c]) - largest) / sum);
  });
}

}  // namespace
}  // namespace cuda

template <class T>
void softmax_forward(Image<T> out, Image<const T> in, CudaStream& stream) {
  if (out.pixels() == 0) return;
  cuda::launch<cuda::softmax_kernel<T>>(cuda::pixel_grid(out.pixels(), 1, stream), stream, out, in);
}

template void softmax_forward(Image<float>, Image<const float>, CudaStream&);
template void softmax_forward(Image<bf16>, Image<const bf16>, CudaStream&);

}  // namespace plume::kernels
