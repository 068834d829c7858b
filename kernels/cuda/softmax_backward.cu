// The gradient of a pixel's softmax on CUDA, a thread per pixel.
#include "device_language.hpp"
#include "kernels/cuda/pixel_grid.cuh"
#include "kernels/pointwise.hpp"

namespace plume::kernels {
namespace cuda {
namespace {

template <class T>
__global__ void __launch_bounds__(block_threads)
    softmax_gradient_kernel(Image<T> grad_in, Image<const T> grad_out, Image<const T> out, bool add) {
  for_pixels(static_cast<unsigned>(out.pixels()), [&](unsigned pixel) {
    const T* g = grad_out.data + pixel * grad_out.stride;
    const T* y = out.data + pixel * out.stride;
    T* to = grad_in.data + pixel * grad_in.stride;
    float dot = 0;
    for (int c = 0; c < out.c; ++c) dot += static_cast<float>(g[c]) * static_cast<float>(y[c]);
    for (int c = 0; c < out.c; ++c) {
      const float value = static_cast<float>(y[c]) * (static_cast<float>(g[c]) - dot);
      to[c] = static_cast<T>(add ? static_cast<float>(to[c]) + value : value);
    }
  });
}

}  // namespace
}  // namespace cuda

template <class T>
void softmax_backward(Image<T> grad_in, Image<const T> grad_out, Image<const T> out, bool add, CudaStream& stream) {
  if (out.pixels() == 0) return;
  cuda::launch<cuda::softmax_gradient_kernel<T>>(cuda::pixel_grid(out.pixels(), 1, stream), stream, grad_in, grad_out,
                                                 out, add);
}

template void softmax_backward(Image<float>, Image<const float>, Image<const float>, bool, CudaStream&);
template void softmax_backward(Image<bf16>, Image<const bf16>, Image<const bf16>, bool, CudaStream&);

}  // namespace plume::kernels
