// The focal loss on CUDA.
#include "kernels/cuda/loss/binary_mean.cuh"
#include "kernels/cuda/loss/softmax_mean.cuh"

namespace plume::kernels {

template <class T>
void focal(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets, double gamma,
           CudaStream& stream) {
  if (logits.c == 1) {
    cuda::binary_mean(output, logits, targets, BinaryFocalBody<float>(gamma), stream);
  } else {
    cuda::softmax_mean<FocalBody<float>>(output, logits, targets, {static_cast<float>(gamma)}, stream);
  }
}

template void focal(const LossOutput<float>&, Image<const float>, PixelTargets<float>, double, CudaStream&);
template void focal(const LossOutput<bf16>&, Image<const bf16>, PixelTargets<bf16>, double, CudaStream&);

}  // namespace plume::kernels
