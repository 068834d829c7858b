// The ordinal loss on the CPU.
#include "kernels/cpu/loss/pixel.hpp"
#include "kernels/loss_bodies.hpp"

namespace plume::kernels {

template <class T>
void ordinal(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets, CpuStream& stream) {
  softmax_mean<OrdinalBody<T>>(output, logits, targets, {}, stream);
}

template void ordinal(const LossOutput<float>&, Image<const float>, PixelTargets<float>, CpuStream&);
template void ordinal(const LossOutput<double>&, Image<const double>, PixelTargets<double>, CpuStream&);

}  // namespace plume::kernels
