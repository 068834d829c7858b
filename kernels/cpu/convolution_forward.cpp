// Forward convolutions on the CPU.
#include "kernels/convolution.hpp"
#include "kernels/cpu/conv_algorithm.hpp"
#include "kernels/cpu/gather_conv.hpp"
#include "kernels/cpu/winograd/winograd.hpp"

namespace plume::kernels {

template <class T>
void conv2d_forward(Image<T> out, const Sources<T>& in, const T* weight, const Wide<T>* bias, ConvGeometry geometry,
                    bool relu, CpuStream& stream) {
  const ConvAlgorithm algorithm =
      choose_algorithm<T>({out.n, out.h, out.w, in.c(), out.c}, geometry, stream.convolutions());
  if (algorithm != ConvAlgorithm::direct) {
    return winograd_forward(out, in, weight, bias, geometry, relu, winograd_tile(algorithm), stream);
  }
  const std::ptrdiff_t tap_weights = std::ptrdiff_t{in.c()} * out.c;
  gather_conv(out, in, weight, {.input = out.c, .output = 1}, {conv_lattice(geometry, out.h, out.w, tap_weights)},
              {.bias = bias, .relu = relu}, stream);
}

template <class T>
void conv_transpose2d_forward(Image<T> out, const Sources<T>& in, const T* weight, const Wide<T>* bias,
                              ConvGeometry geometry, bool relu, CpuStream& stream) {
  const std::ptrdiff_t tap_weights = std::ptrdiff_t{in.c()} * out.c;
  gather_conv(out, in, weight, {.input = out.c, .output = 1}, adjoint_lattices(geometry, out.h, out.w, tap_weights),
              {.bias = bias, .relu = relu}, stream);
}

template void conv2d_forward(Image<float>, const Sources<float>&, const float*, const float*, ConvGeometry, bool,
                             CpuStream&);
template void conv2d_forward(Image<double>, const Sources<double>&, const double*, const double*, ConvGeometry, bool,
                             CpuStream&);
template void conv_transpose2d_forward(Image<float>, const Sources<float>&, const float*, const float*, ConvGeometry,
                                       bool, CpuStream&);
template void conv_transpose2d_forward(Image<double>, const Sources<double>&, const double*, const double*,
                                       ConvGeometry, bool, CpuStream&);

}  // namespace plume::kernels
