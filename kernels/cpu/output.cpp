// Probabilities and masks on the CPU.
#include "kernels/output.hpp"

#include "kernels/cpu/parallel.hpp"
#include "kernels/decide_pixel.hpp"

namespace plume::kernels {

template <class T>
void decide(Image<float> probability, std::uint8_t* mask, Image<const T> logits, Link link, float threshold,
            CpuStream& stream) {
  parallel_for(stream, logits.pixels(), [&](std::ptrdiff_t p) {
    float* to = probability.data ? probability.data + p * probability.stride : nullptr;
    const std::uint8_t decision = decide_pixel(to, logits.data + p * logits.stride, logits.c, link, threshold);
    if (mask) mask[p] = decision;
  });
}

template void decide(Image<float>, std::uint8_t*, Image<const float>, Link, float, CpuStream&);
template void decide(Image<float>, std::uint8_t*, Image<const double>, Link, float, CpuStream&);

}  // namespace plume::kernels
