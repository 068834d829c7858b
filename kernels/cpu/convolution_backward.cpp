// Gradients of convolutions on the CPU. The data gradient of a convolution is a transposed convolution and the reverse;
// only which side of the weights is summed over changes.
#include <algorithm>

#include "kernels/convolution.hpp"
#include "kernels/cpu/conv_algorithm.hpp"
#include "kernels/cpu/gather_conv.hpp"
#include "kernels/cpu/pixel_sums.hpp"
#include "kernels/cpu/weight_grad.hpp"
#include "kernels/cpu/winograd/winograd.hpp"

namespace plume::kernels {

template <class T>
void conv2d_backward_data(Image<T> grad_in, Image<const T> grad_out, const T* weight, ChannelSlice slice,
                          ConvGeometry geometry, bool add, CpuStream& stream) {
  const ConvAlgorithm algorithm =
      choose_algorithm<T>({grad_in.n, grad_in.h, grad_in.w, grad_out.c, grad_in.c}, geometry, stream.convolutions());
  if (algorithm != ConvAlgorithm::direct) {
    return winograd_backward_data(grad_in, grad_out, weight, slice, geometry, add, winograd_tile(algorithm), stream);
  }
  const std::ptrdiff_t tap_weights = std::ptrdiff_t{slice.total} * grad_out.c;
  gather_conv(grad_in, Sources<T>(grad_out), weight + std::ptrdiff_t{slice.first} * grad_out.c,
              {.input = 1, .output = grad_out.c}, adjoint_lattices(geometry, grad_in.h, grad_in.w, tap_weights),
              {.add = add}, stream);
}

template <class T>
void conv_transpose2d_backward_data(Image<T> grad_in, Image<const T> grad_out, const T* weight, ChannelSlice slice,
                                    ConvGeometry geometry, bool add, CpuStream& stream) {
  const std::ptrdiff_t tap_weights = std::ptrdiff_t{slice.total} * grad_out.c;
  gather_conv(grad_in, Sources<T>(grad_out), weight + std::ptrdiff_t{slice.first} * grad_out.c,
              {.input = 1, .output = grad_out.c}, {conv_lattice(geometry, grad_in.h, grad_in.w, tap_weights)},
              {.add = add}, stream);
}

template <class T>
void conv2d_backward_weight(Wide<T>* grad_weight, const Sources<T>& in, Image<const T> grad_out, ConvGeometry geometry,
                            bool add, CpuStream& stream) {
  const ConvAlgorithm algorithm = choose_algorithm<T>({grad_out.n, grad_out.h, grad_out.w, in.c(), grad_out.c, true},
                                                      geometry, stream.convolutions());
  if (algorithm != ConvAlgorithm::direct) {
    return winograd_backward_weight(grad_weight, in, grad_out, geometry, add, winograd_tile(algorithm), stream);
  }
  const CorrelationStrides strides{std::ptrdiff_t{in.c()} * grad_out.c, grad_out.c, 1};
  correlate(grad_weight, strides, in, Sources<T>(grad_out), geometry, add, stream);
}

template <class T>
void conv_transpose2d_backward_weight(Wide<T>* grad_weight, const Sources<T>& in, Image<const T> grad_out,
                                      ConvGeometry geometry, bool add, CpuStream& stream) {
  const CorrelationStrides strides{std::ptrdiff_t{in.c()} * grad_out.c, 1, grad_out.c};
  correlate(grad_weight, strides, Sources<T>(grad_out), in, geometry, add, stream);
}

template <class T>
void bias_backward(Wide<T>* grad_bias, Image<const T> grad_out, bool add, CpuStream& stream) {
  const auto sums =
      pixel_sums<T>(grad_out.pixels(), grad_out.c, stream, [&](T* sum, std::ptrdiff_t first, std::ptrdiff_t count) {
        primitives<T>().channel_sums(sum, grad_out.data + first * grad_out.stride, grad_out.stride, count, grad_out.c);
      });
  for (int c = 0; c < grad_out.c; ++c) {
    const auto sum = static_cast<T>(sums[static_cast<std::size_t>(c)]);
    grad_bias[c] = add ? grad_bias[c] + sum : sum;
  }
}

template void conv2d_backward_data(Image<float>, Image<const float>, const float*, ChannelSlice, ConvGeometry, bool,
                                   CpuStream&);
template void conv2d_backward_data(Image<double>, Image<const double>, const double*, ChannelSlice, ConvGeometry, bool,
                                   CpuStream&);
template void conv_transpose2d_backward_data(Image<float>, Image<const float>, const float*, ChannelSlice, ConvGeometry,
                                             bool, CpuStream&);
template void conv_transpose2d_backward_data(Image<double>, Image<const double>, const double*, ChannelSlice,
                                             ConvGeometry, bool, CpuStream&);
template void conv2d_backward_weight(float*, const Sources<float>&, Image<const float>, ConvGeometry, bool, CpuStream&);
template void conv2d_backward_weight(double*, const Sources<double>&, Image<const double>, ConvGeometry, bool,
                                     CpuStream&);
template void conv_transpose2d_backward_weight(float*, const Sources<float>&, Image<const float>, ConvGeometry, bool,
                                               CpuStream&);
template void conv_transpose2d_backward_weight(double*, const Sources<double>&, Image<const double>, ConvGeometry, bool,
                                               CpuStream&);
template void bias_backward(float*, Image<const float>, bool, CpuStream&);
template void bias_backward(double*, Image<const double>, bool, CpuStream&);

}  // namespace plume::kernels
