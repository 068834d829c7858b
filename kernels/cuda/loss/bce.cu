// Binary cross entropy from logits on CUDA.
#include "kernels/cuda/loss/binary_mean.cuh"

namespace plume::kernels {

template <class T>
void bce_with_logits(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets, double smoothing,
                     CudaStream& stream) {
  cuda::binary_mean(output, logits, targets, BceBody<float>(smoothing), stream);
}

template void bce_with_logits(const LossOutput<float>&, Image<const float>, PixelTargets<float>, double, CudaStream&);
template void bce_with_logits(const LossOutput<bf16>&, Image<const bf16>, PixelTargets<bf16>, double, CudaStream&);

}  // namespace plume::kernels
