// Forward convolutions through the gather.
#include "kernels/cuda/convolution/gather.hpp"
#include "kernels/cuda/convolution/own.hpp"

namespace plume::kernels::cuda::own {

template <class T>
void conv2d_forward(Image<T> out, const Sources<T>& in, const T* weight, const Wide<T>* bias, ConvGeometry geometry,
                    bool relu, CudaStream& stream) {
  const std::ptrdiff_t tap_weights = std::ptrdiff_t{in.c()} * out.c;
  gather_conv(out, in, weight, {.input = out.c, .output = 1}, {conv_lattice(geometry, out.h, out.w, tap_weights)},
              {.bias = bias, .relu = relu}, stream);
}

template <class T>
void conv2d_pool_forward(Image<T> out, Image<T> pooled, const Sources<T>& in, const T* weight, const Wide<T>* bias,
                         ConvGeometry geometry, bool relu, CudaStream& stream) {
  const std::ptrdiff_t tap_weights = std::ptrdiff_t{in.c()} * out.c;
  gather_conv(out, in, weight, {.input = out.c, .output = 1}, {conv_lattice(geometry, out.h, out.w, tap_weights)},
              {.bias = bias, .relu = relu, .pooled = pooled}, stream);
}

template <class T>
void conv_transpose2d_forward(Image<T> out, const Sources<T>& in, const T* weight, const Wide<T>* bias,
                              ConvGeometry geometry, bool relu, CudaStream& stream) {
  const std::ptrdiff_t tap_weights = std::ptrdiff_t{in.c()} * out.c;
  gather_conv(out, in, weight, {.input = out.c, .output = 1}, adjoint_lattices(geometry, out.h, out.w, tap_weights),
              {.bias = bias, .relu = relu}, stream);
}

template void conv2d_forward(Image<float>, const Sources<float>&, const float*, const float*, ConvGeometry, bool,
                             CudaStream&);
template void conv2d_forward(Image<bf16>, const Sources<bf16>&, const bf16*, const float*, ConvGeometry, bool,
                             CudaStream&);
template void conv2d_pool_forward(Image<float>, Image<float>, const Sources<float>&, const float*, const float*,
                                  ConvGeometry, bool, CudaStream&);
template void conv2d_pool_forward(Image<bf16>, Image<bf16>, const Sources<bf16>&, const bf16*, const float*,
                                  ConvGeometry, bool, CudaStream&);
template void conv_transpose2d_forward(Image<float>, const Sources<float>&, const float*, const float*, ConvGeometry,
                                       bool, CudaStream&);
template void conv_transpose2d_forward(Image<bf16>, const Sources<bf16>&, const bf16*, const float*, ConvGeometry, bool,
                                       CudaStream&);

}  // namespace plume::kernels::cuda::own
