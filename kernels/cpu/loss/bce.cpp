// Binary cross entropy from logits on the CPU.
#include "kernels/cpu/loss/pixel.hpp"
#include "kernels/loss_bodies.hpp"

namespace plume::kernels {

template <class T>
void bce_with_logits(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets, double smoothing,
                     CpuStream& stream) {
  binary_mean(output, logits, targets, BceBody<T>(smoothing), stream);
}

template void bce_with_logits(const LossOutput<float>&, Image<const float>, PixelTargets<float>, double, CpuStream&);
template void bce_with_logits(const LossOutput<double>&, Image<const double>, PixelTargets<double>, double, CpuStream&);

}  // namespace plume::kernels
