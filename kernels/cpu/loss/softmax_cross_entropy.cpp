// Cross entropy of the softmax on the CPU.
#include "kernels/cpu/loss/pixel.hpp"
#include "kernels/loss_bodies.hpp"

namespace plume::kernels {

template <class T>
void softmax_cross_entropy(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets,
                           double smoothing, CpuStream& stream) {
  softmax_mean<CrossEntropyBody<T>>(output, logits, targets, {static_cast<T>(smoothing)}, stream);
}

template void softmax_cross_entropy(const LossOutput<float>&, Image<const float>, PixelTargets<float>, double,
                                    CpuStream&);
template void softmax_cross_entropy(const LossOutput<double>&, Image<const double>, PixelTargets<double>, double,
                                    CpuStream&);

}  // namespace plume::kernels
