// Transposed convolutions whose kernel is their stride, without a crop: no two of their pixels share an output, so that
// they are a matrix product and a shuffle of pixels.
#pragma once

#include "kernels/convolution.hpp"

namespace plume::kernels::cuda::cublaslt {

// As the functions of those names in kernels/convolution.hpp. False, with nothing written, where the stream has no library
// of matrix products, or the problem is not of this kind: another way must be taken.
template <class T>
[[nodiscard]] bool conv_transpose2d_forward(Image<T> out, const Sources<T>& in, const T* weight, const Wide<T>* bias,
                                            ConvGeometry geometry, bool relu, CudaStream& stream);
template <class T>
[[nodiscard]] bool conv_transpose2d_backward_data(Image<T> grad_in, Image<const T> grad_out, const T* weight,
                                                  ChannelSlice slice, ConvGeometry geometry, bool add,
                                                  CudaStream& stream);
template <class T>
[[nodiscard]] bool conv_transpose2d_backward_weight(Wide<T>* grad_weight, const Sources<T>& in, Image<const T> grad_out,
                                                    ConvGeometry geometry, bool add, CudaStream& stream);

}  // namespace plume::kernels::cuda::cublaslt
