// As dispatch.cpp, for gradients: a program that only infers takes none of their kernels in.
#include "kernels/convolution.hpp"
#include "kernels/cuda/convolution/own.hpp"
#include "kernels/cuda/cublaslt/convolution.hpp"
#include "kernels/cuda/cudnn/convolution.hpp"

namespace plume::kernels {

template <class T>
void conv2d_backward_data(Image<T> grad_in, Image<const T> grad_out, const T* weight, ChannelSlice slice,
                          ConvGeometry geometry, bool add, CudaStream& stream) {
  if (cuda::cudnn::conv2d_backward_data(grad_in, grad_out, weight, slice, geometry, add, stream)) return;
  cuda::own::conv2d_backward_data(grad_in, grad_out, weight, slice, geometry, add, stream);
}

template <class T>
void conv_transpose2d_backward_data(Image<T> grad_in, Image<const T> grad_out, const T* weight, ChannelSlice slice,
                                    ConvGeometry geometry, bool add, CudaStream& stream) {
  if (cuda::cublaslt::conv_transpose2d_backward_data(grad_in, grad_out, weight, slice, geometry, add, stream)) return;
  cuda::own::conv_transpose2d_backward_data(grad_in, grad_out, weight, slice, geometry, add, stream);
}

template <class T>
void conv2d_backward_weight(Wide<T>* grad_weight, const Sources<T>& in, Image<const T> grad_out, ConvGeometry geometry,
                            bool add, CudaStream& stream) {
  if (cuda::cudnn::conv2d_backward_weight(grad_weight, in, grad_out, geometry, add, stream)) return;
  cuda::own::conv2d_backward_weight(grad_weight, in, grad_out, geometry, add, stream);
}

template <class T>
void conv_transpose2d_backward_weight(Wide<T>* grad_weight, const Sources<T>& in, Image<const T> grad_out,
                                      ConvGeometry geometry, bool add, CudaStream& stream) {
  if (cuda::cublaslt::conv_transpose2d_backward_weight(grad_weight, in, grad_out, geometry, add, stream)) return;
  cuda::own::conv_transpose2d_backward_weight(grad_weight, in, grad_out, geometry, add, stream);
}

template <class T>
void bias_backward(Wide<T>* grad_bias, Image<const T> grad_out, bool add, CudaStream& stream) {
  cuda::own::bias_backward(grad_bias, grad_out, add, stream);
}

template void conv2d_backward_data<float>(Image<float>, Image<const float>, const float*, ChannelSlice, ConvGeometry,
                                          bool, CudaStream&);
template void conv2d_backward_data<bf16>(Image<bf16>, Image<const bf16>, const bf16*, ChannelSlice, ConvGeometry, bool,
                                         CudaStream&);
template void conv_transpose2d_backward_data<float>(Image<float>, Image<const float>, const float*, ChannelSlice,
                                                    ConvGeometry, bool, CudaStream&);
template void conv_transpose2d_backward_data<bf16>(Image<bf16>, Image<const bf16>, const bf16*, ChannelSlice,
                                                   ConvGeometry, bool, CudaStream&);
template void conv2d_backward_weight<float>(float*, const Sources<float>&, Image<const float>, ConvGeometry, bool,
                                            CudaStream&);
template void conv2d_backward_weight<bf16>(float*, const Sources<bf16>&, Image<const bf16>, ConvGeometry, bool,
                                           CudaStream&);
template void conv_transpose2d_backward_weight<float>(float*, const Sources<float>&, Image<const float>, ConvGeometry,
                                                      bool, CudaStream&);
template void conv_transpose2d_backward_weight<bf16>(float*, const Sources<bf16>&, Image<const bf16>, ConvGeometry,
                                                     bool, CudaStream&);
template void bias_backward<float>(float*, Image<const float>, bool, CudaStream&);
template void bias_backward<bf16>(float*, Image<const bf16>, bool, CudaStream&);

}  // namespace plume::kernels
