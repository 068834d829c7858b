// The convolutions of kernels/convolution.hpp on CUDA: through the stream's libraries where it has them and they can, else
// by plume's own kernels. This file names no library, so a program that gives its streams none links none.
#include "kernels/convolution.hpp"
#include "kernels/cuda/convolution/own.hpp"
#include "kernels/cuda/cublaslt/convolution.hpp"
#include "kernels/cuda/cudnn/convolution.hpp"

namespace plume::kernels {

template <class T>
void conv2d_forward(Image<T> out, const Sources<T>& in, const T* weight, const Wide<T>* bias, ConvGeometry geometry,
                    bool relu, CudaStream& stream) {
  if (cuda::cudnn::conv2d_forward(out, in, weight, bias, geometry, relu, stream)) return;
  cuda::own::conv2d_forward(out, in, weight, bias, geometry, relu, stream);
}

template <class T>
void conv_transpose2d_forward(Image<T> out, const Sources<T>& in, const T* weight, const Wide<T>* bias,
                              ConvGeometry geometry, bool relu, CudaStream& stream) {
  if (cuda::cublaslt::conv_transpose2d_forward(out, in, weight, bias, geometry, relu, stream)) return;
  cuda::own::conv_transpose2d_forward(out, in, weight, bias, geometry, relu, stream);
}

template void conv2d_forward<float>(Image<float>, const Sources<float>&, const float*, const float*, ConvGeometry, bool,
                                    CudaStream&);
template void conv2d_forward<bf16>(Image<bf16>, const Sources<bf16>&, const bf16*, const float*, ConvGeometry, bool,
                                   CudaStream&);
template void conv_transpose2d_forward<float>(Image<float>, const Sources<float>&, const float*, const float*,
                                              ConvGeometry, bool, CudaStream&);
template void conv_transpose2d_forward<bf16>(Image<bf16>, const Sources<bf16>&, const bf16*, const float*, ConvGeometry,
                                             bool, CudaStream&);

}  // namespace plume::kernels
