// Conversion of flat buffers between element types: float to bf16, rounding to nearest even, and bf16 to float.
#pragma once

#include <cstddef>

#include "kernels/base/bfloat16.hpp"
#include "kernels/stream.hpp"

namespace plume::kernels {

template <class To, class From>
void convert(To* to, const From* from, std::ptrdiff_t count, CpuStream& stream);
template <class To, class From>
void convert(To* to, const From* from, std::ptrdiff_t count, CudaStream& stream);

}  // namespace plume::kernels
