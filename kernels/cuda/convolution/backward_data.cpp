// Data gradients through the gather: that of a convolution is a transposed convolution and the reverse; only which side
// of the weights is summed over changes.
#include "kernels/cuda/convolution/gather.hpp"
#include "kernels/cuda/convolution/own.hpp"

namespace plume::kernels::cuda::own {

template <class T>
void conv2d_backward_data(Image<T> grad_in, Image<const T> grad_out, const T* weight, ChannelSlice slice,
                          ConvGeometry geometry, bool add, CudaStream& stream) {
  const std::ptrdiff_t tap_weights = std::ptrdiff_t{slice.total} * grad_out.c;
  gather_conv(grad_in, Sources<T>(grad_out), weight + std::ptrdiff_t{slice.first} * grad_out.c,
              {.input = 1, .output = grad_out.c}, adjoint_lattices(geometry, grad_in.h, grad_in.w, tap_weights),
              {.add = add}, stream);
}

template <class T>
void conv_transpose2d_backward_data(Image<T> grad_in, Image<const T> grad_out, const T* weight, ChannelSlice slice,
                                    ConvGeometry geometry, bool add, CudaStream& stream) {
  const std::ptrdiff_t tap_weights = std::ptrdiff_t{slice.total} * grad_out.c;
  gather_conv(grad_in, Sources<T>(grad_out), weight + std::ptrdiff_t{slice.first} * grad_out.c,
              {.input = 1, .output = grad_out.c}, {conv_lattice(geometry, grad_in.h, grad_in.w, tap_weights)},
              {.add = add}, stream);
}

template void conv2d_backward_data(Image<float>, Image<const float>, const float*, ChannelSlice, ConvGeometry, bool,
                                   CudaStream&);
template void conv2d_backward_data(Image<bf16>, Image<const bf16>, const bf16*, ChannelSlice, ConvGeometry, bool,
                                   CudaStream&);
template void conv_transpose2d_backward_data(Image<float>, Image<const float>, const float*, ChannelSlice, ConvGeometry,
                                             bool, CudaStream&);
template void conv_transpose2d_backward_data(Image<bf16>, Image<const bf16>, const bf16*, ChannelSlice, ConvGeometry,
                                             bool, CudaStream&);

}  // namespace plume::kernels::cuda::own
