// The ordinal loss on CUDA.
#include "kernels/cuda/loss/softmax_mean.cuh"

namespace plume::kernels {

template <class T>
void ordinal(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets, CudaStream& stream) {
  cuda::softmax_mean<OrdinalBody<float>>(output, logits, targets, {}, stream);
}

template void ordinal(const LossOutput<float>&, Image<const float>, PixelTargets<float>, CudaStream&);
template void ordinal(const LossOutput<bf16>&, Image<const bf16>, PixelTargets<bf16>, CudaStream&);

}  // namespace plume::kernels
