// The focal loss on the CPU.
#include "kernels/cpu/loss/pixel.hpp"
#include "kernels/loss_bodies.hpp"

namespace plume::kernels {

template <class T>
void focal(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets, double gamma,
           CpuStream& stream) {
  if (logits.c == 1) {
    binary_mean(output, logits, targets, BinaryFocalBody<T>(gamma), stream);
  } else {
    softmax_mean<FocalBody<T>>(output, logits, targets, {static_cast<T>(gamma)}, stream);
  }
}

template void focal(const LossOutput<float>&, Image<const float>, PixelTargets<float>, double, CpuStream&);
template void focal(const LossOutput<double>&, Image<const double>, PixelTargets<double>, double, CpuStream&);

}  // namespace plume::kernels
