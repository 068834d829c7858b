// Cross entropy of the softmax on CUDA.
#include "kernels/cuda/loss/softmax_mean.cuh"

namespace plume::kernels {

template <class T>
void softmax_cross_entropy(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets,
                           double smoothing, CudaStream& stream) {
  cuda::softmax_mean<CrossEntropyBody<float>>(output, logits, targets, {static_cast<float>(smoothing)}, stream);
}

template void softmax_cross_entropy(const LossOutput<float>&, Image<const float>, PixelTargets<float>, double,
                                    CudaStream&);
template void softmax_cross_entropy(const LossOutput<bf16>&, Image<const bf16>, PixelTargets<bf16>, double,
                                    CudaStream&);

}  // namespace plume::kernels
