// Conversion of flat buffers on the CPU.
#include "kernels/convert.hpp"

#include "kernels/cpu/parallel.hpp"

namespace plume::kernels {

template <class To, class From>
void convert(To* to, const From* from, std::ptrdiff_t count, CpuStream& stream) {
  parallel_for(stream, count, [&](std::ptrdiff_t i) { to[i] = static_cast<To>(from[i]); });
}

template void convert(bf16*, const float*, std::ptrdiff_t, CpuStream&);
template void convert(float*, const bf16*, std::ptrdiff_t, CpuStream&);

}  // namespace plume::kernels
