// Floats to 16 bits and back, on their way between GPUs.
#pragma once

#include <cstddef>

#include "kernels/base/bfloat16.hpp"
#include "kernels/base/float16.hpp"
#include "kernels/stream.hpp"

namespace plume::kernels {

// to[i] = from[i] for i < count, rounded to nearest even where To is narrower. Of float and one of bf16 and f16, either way.
template <class To, class From>
void convert(To* to, const From* from, std::ptrdiff_t count, CudaStream& stream);

}  // namespace plume::kernels
