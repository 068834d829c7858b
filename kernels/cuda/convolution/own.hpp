// plume's own convolutions on tensor cores: the functions of kernels/convolution.hpp, free of cuDNN.
//
// Every forward pass and data gradient is one implicit GEMM (gather.hpp), every weight gradient another (correlate.hpp).
// bf16 multiplies in bf16 and adds in f32; f32 multiplies by three TF32 products, or by one where the stream's MathMode
// says so. Kernels of at most 7x7 taps and strides of at most 4; throws input_error beyond. Results depend on shapes
// alone, bit for bit.
#pragma once

#include "kernels/convolution.hpp"

namespace plume::kernels::cuda::own {

template <class T>
void conv2d_forward(Image<T> out, const Sources<T>& in, const T* weight, const Wide<T>* bias, ConvGeometry geometry,
                    bool relu, CudaStream& stream);

// conv2d_forward, and in the same pass the maxima of out's 2x2 windows (kernels/pooling.hpp).
template <class T>
void conv2d_pool_forward(Image<T> out, Image<T> pooled, const Sources<T>& in, const T* weight, const Wide<T>* bias,
                         ConvGeometry geometry, bool relu, CudaStream& stream);

template <class T>
void conv_transpose2d_forward(Image<T> out, const Sources<T>& in, const T* weight, const Wide<T>* bias,
                              ConvGeometry geometry, bool relu, CudaStream& stream);

template <class T>
void conv2d_backward_data(Image<T> grad_in, Image<const T> grad_out, const T* weight, ChannelSlice slice,
                          ConvGeometry geometry, bool add, CudaStream& stream);

template <class T>
void conv_transpose2d_backward_data(Image<T> grad_in, Image<const T> grad_out, const T* weight, ChannelSlice slice,
                                    ConvGeometry geometry, bool add, CudaStream& stream);

template <class T>
void conv2d_backward_weight(Wide<T>* grad_weight, const Sources<T>& in, Image<const T> grad_out, ConvGeometry geometry,
                            bool add, CudaStream& stream);

template <class T>
void conv_transpose2d_backward_weight(Wide<T>* grad_weight, const Sources<T>& in, Image<const T> grad_out,
                                      ConvGeometry geometry, bool add, CudaStream& stream);

template <class T>
void bias_backward(Wide<T>* grad_bias, Image<const T> grad_out, bool add, CudaStream& stream);

}  // namespace plume::kernels::cuda::own
