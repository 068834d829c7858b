// Two-dimensional convolution and its transpose, forward and backward.
//
// Layouts: images NHWC; weights [kernel row][kernel column][input channel][output channel] (HWIO) for both, where for a
// transposed convolution "input" is still what the forward pass reads. f32 and f64 on the CPU, f32 and bf16 on CUDA.
// A transposed convolution is the adjoint of the convolution of the same kernel, stride and pad (there a crop).
// Source: Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016; TensorFlow's 'same' rule for
// the crops of 3x3, stride 2: none at top and left, one at bottom and right.
#pragma once

#include <array>

#include "kernels/base/dtype.hpp"
#include "kernels/image.hpp"
#include "kernels/stream.hpp"

namespace plume::kernels {

struct ConvGeometry {
  int kernel = 3;  // rows and columns; odd for a convolution
  int stride = 1;
  std::array<int, 4> pad{};  // zeros at {top, left, bottom, right}; for a transposed convolution rows cropped there

  [[nodiscard]] int output_rows(int rows) const { return (rows + pad[0] + pad[2] - kernel) / stride + 1; }
  [[nodiscard]] int output_columns(int columns) const { return (columns + pad[1] + pad[3] - kernel) / stride + 1; }
  [[nodiscard]] int transposed_rows(int rows) const { return (rows - 1) * stride + kernel - pad[0] - pad[2]; }
  [[nodiscard]] int transposed_columns(int columns) const { return (columns - 1) * stride + kernel - pad[1] - pad[3]; }
  bool operator==(const ConvGeometry&) const = default;
};

// out = conv(in, weight) + bias, then ReLU where asked; bias may be null.
template <class T>
void conv2d_forward(Image<T> out, const Sources<T>& in, const T* weight, const Wide<T>* bias, ConvGeometry geometry,
                    bool relu, CpuStream& stream);
template <class T>
void conv2d_forward(Image<T> out, const Sources<T>& in, const T* weight, const Wide<T>* bias, ConvGeometry geometry,
                    bool relu, CudaStream& stream);

// out = transposed conv(in, weight) + bias, then ReLU where asked; bias may be null.
template <class T>
void conv_transpose2d_forward(Image<T> out, const Sources<T>& in, const T* weight, const Wide<T>* bias,
                              ConvGeometry geometry, bool relu, CpuStream& stream);
template <class T>
void conv_transpose2d_forward(Image<T> out, const Sources<T>& in, const T* weight, const Wide<T>* bias,
                              ConvGeometry geometry, bool relu, CudaStream& stream);

// What a backward pass to one of several concatenated inputs needs to find its channels in the weights.
struct ChannelSlice {
  int first = 0;
  int total = 0;  // input channels of the whole convolution
};

// grad_in (+)= the gradient of conv2d_forward's `in`, for the channels in `slice`.
template <class T>
void conv2d_backward_data(Image<T> grad_in, Image<const T> grad_out, const T* weight, ChannelSlice slice,
                          ConvGeometry geometry, bool add, CpuStream& stream);
template <class T>
void conv2d_backward_data(Image<T> grad_in, Image<const T> grad_out, const T* weight, ChannelSlice slice,
                          ConvGeometry geometry, bool add, CudaStream& stream);

template <class T>
void conv_transpose2d_backward_data(Image<T> grad_in, Image<const T> grad_out, const T* weight, ChannelSlice slice,
                                    ConvGeometry geometry, bool add, CpuStream& stream);
template <class T>
void conv_transpose2d_backward_data(Image<T> grad_in, Image<const T> grad_out, const T* weight, ChannelSlice slice,
                                    ConvGeometry geometry, bool add, CudaStream& stream);

// grad_weight (+)= the gradient of conv2d_forward's `weight`.
template <class T>
void conv2d_backward_weight(Wide<T>* grad_weight, const Sources<T>& in, Image<const T> grad_out, ConvGeometry geometry,
                            bool add, CpuStream& stream);
template <class T>
void conv2d_backward_weight(Wide<T>* grad_weight, const Sources<T>& in, Image<const T> grad_out, ConvGeometry geometry,
                            bool add, CudaStream& stream);

template <class T>
void conv_transpose2d_backward_weight(Wide<T>* grad_weight, const Sources<T>& in, Image<const T> grad_out,
                                      ConvGeometry geometry, bool add, CpuStream& stream);
template <class T>
void conv_transpose2d_backward_weight(Wide<T>* grad_weight, const Sources<T>& in, Image<const T> grad_out,
                                      ConvGeometry geometry, bool add, CudaStream& stream);

// grad_bias (+)= the sum of grad_out over images, rows and columns.
template <class T>
void bias_backward(Wide<T>* grad_bias, Image<const T> grad_out, bool add, CpuStream& stream);
template <class T>
void bias_backward(Wide<T>* grad_bias, Image<const T> grad_out, bool add, CudaStream& stream);

}  // namespace plume::kernels
