// Elementwise operations and the softmax over a pixel's channels; all images of a call have one shape. f32 and f64 on the
// CPU, f32 and bf16 on CUDA, where arithmetic is in float.
#pragma once

#include "kernels/image.hpp"
#include "kernels/stream.hpp"

namespace plume::kernels {

// out (+)= in: a copy or a sum, also between channel slices.
template <class T>
void copy(Image<T> out, Image<const T> in, bool add, CpuStream& stream);
template <class T>
void copy(Image<T> out, Image<const T> in, bool add, CudaStream& stream);

// out = a + b
template <class T>
void add(Image<T> out, Image<const T> a, Image<const T> b, CpuStream& stream);
template <class T>
void add(Image<T> out, Image<const T> a, Image<const T> b, CudaStream& stream);

// out = max(in, 0); in place where out is in.
template <class T>
void relu_forward(Image<T> out, Image<const T> in, CpuStream& stream);
template <class T>
void relu_forward(Image<T> out, Image<const T> in, CudaStream& stream);

// grad_in (+)= grad_out where out > 0; `out` is what relu_forward gave. In place where nothing is added.
template <class T>
void relu_backward(Image<T> grad_in, Image<const T> grad_out, Image<const T> out, bool add, CpuStream& stream);
template <class T>
void relu_backward(Image<T> grad_in, Image<const T> grad_out, Image<const T> out, bool add, CudaStream& stream);

// out = 1 / (1 + exp(-in))
template <class T>
void sigmoid_forward(Image<T> out, Image<const T> in, CpuStream& stream);
template <class T>
void sigmoid_forward(Image<T> out, Image<const T> in, CudaStream& stream);

// grad_in (+)= grad_out * out * (1 - out)
template <class T>
void sigmoid_backward(Image<T> grad_in, Image<const T> grad_out, Image<const T> out, bool add, CpuStream& stream);
template <class T>
void sigmoid_backward(Image<T> grad_in, Image<const T> grad_out, Image<const T> out, bool add, CudaStream& stream);

// out = exp(in) / sum over channels of exp(in)
template <class T>
void softmax_forward(Image<T> out, Image<const T> in, CpuStream& stream);
template <class T>
void softmax_forward(Image<T> out, Image<const T> in, CudaStream& stream);

// grad_in (+)= out * (grad_out - sum over channels of grad_out * out)
template <class T>
void softmax_backward(Image<T> grad_in, Image<const T> grad_out, Image<const T> out, bool add, CpuStream& stream);
template <class T>
void softmax_backward(Image<T> grad_in, Image<const T> grad_out, Image<const T> out, bool add, CudaStream& stream);

}  // namespace plume::kernels
