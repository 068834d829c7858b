// Weight gradients through the correlation.
#include "kernels/cuda/convolution/correlate.hpp"
#include "kernels/cuda/convolution/own.hpp"

namespace plume::kernels::cuda::own {

template <class T>
void conv2d_backward_weight(Wide<T>* grad_weight, const Sources<T>& in, Image<const T> grad_out, ConvGeometry geometry,
                            bool add, CudaStream& stream) {
  const CorrelationStrides strides{std::ptrdiff_t{in.c()} * grad_out.c, grad_out.c, 1};
  correlate(grad_weight, strides, in, Sources<T>(grad_out), geometry, add, stream);
}

template <class T>
void conv_transpose2d_backward_weight(Wide<T>* grad_weight, const Sources<T>& in, Image<const T> grad_out,
                                      ConvGeometry geometry, bool add, CudaStream& stream) {
  const CorrelationStrides strides{std::ptrdiff_t{in.c()} * grad_out.c, 1, grad_out.c};
  correlate(grad_weight, strides, Sources<T>(grad_out), in, geometry, add, stream);
}

template void conv2d_backward_weight<float>(float*, const Sources<float>&, Image<const float>, ConvGeometry, bool,
                                            CudaStream&);
template void conv2d_backward_weight<bf16>(float*, const Sources<bf16>&, Image<const bf16>, ConvGeometry, bool,
                                           CudaStream&);
template void conv_transpose2d_backward_weight<float>(float*, const Sources<float>&, Image<const float>, ConvGeometry,
                                                      bool, CudaStream&);
template void conv_transpose2d_backward_weight<bf16>(float*, const Sources<bf16>&, Image<const bf16>, ConvGeometry,
                                                     bool, CudaStream&);

}  // namespace plume::kernels::cuda::own
