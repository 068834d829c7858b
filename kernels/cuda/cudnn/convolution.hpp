// plume's convolutions by a library that wants other layouts: packed images of whole 16-byte packs of channels, weights
// [out][kernel][kernel][in].
#pragma once

#include "kernels/convolution.hpp"

namespace plume::kernels::cuda::cudnn {

// As the functions of those names in kernels/convolution.hpp. False, with nothing written, where the stream has no such
// library, or it does not support the problem: another way must be taken. Several sources are convolved one by one and
// summed, so that they need not be copied into one image; between them a partial sum is rounded to T. bf16's weight gradients are
// rounded to bf16 before they are added: cuDNN's fast engines leave them so.
template <class T>
[[nodiscard]] bool conv2d_forward(Image<T> out, const Sources<T>& in, const T* weight, const Wide<T>* bias,
                                  ConvGeometry geometry, bool relu, CudaStream& stream);
template <class T>
[[nodiscard]] bool conv2d_backward_data(Image<T> grad_in, Image<const T> grad_out, const T* weight, ChannelSlice slice,
                                        ConvGeometry geometry, bool add, CudaStream& stream);
template <class T>
[[nodiscard]] bool conv2d_backward_weight(Wide<T>* grad_weight, const Sources<T>& in, Image<const T> grad_out,
                                          ConvGeometry geometry, bool add, CudaStream& stream);

}  // namespace plume::kernels::cuda::cudnn
