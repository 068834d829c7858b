// Gradients of elementwise operations on CUDA, bodies from functors.hpp.
#include "kernels/cuda/map.cuh"
#include "kernels/functors.hpp"
#include "kernels/pointwise.hpp"

namespace plume::kernels {

template <class T>
void relu_backward(Image<T> grad_in, Image<const T> grad_out, Image<const T> out, bool add, CudaStream& stream) {
  cuda::map<ReluGradientBody>(grad_in, add, grad_out, out, stream);
}

template <class T>
void sigmoid_backward(Image<T> grad_in, Image<const T> grad_out, Image<const T> out, bool add, CudaStream& stream) {
  cuda::map<SigmoidGradientBody>(grad_in, add, grad_out, out, stream);
}

template void relu_backward(Image<float>, Image<const float>, Image<const float>, bool, CudaStream&);
template void relu_backward(Image<bf16>, Image<const bf16>, Image<const bf16>, bool, CudaStream&);
template void sigmoid_backward(Image<float>, Image<const float>, Image<const float>, bool, CudaStream&);
template void sigmoid_backward(Image<bf16>, Image<const bf16>, Image<const bf16>, bool, CudaStream&);

}  // namespace plume::kernels
