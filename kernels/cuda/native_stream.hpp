// A stream as the CUDA runtime knows it, for libraries that queue work of their own there.
#pragma once

#include "kernels/stream.hpp"

namespace plume::kernels {

// The cudaStream_t. In builds without CUDA this is never called.
[[nodiscard]] void* native_stream(CudaStream& stream);

}  // namespace plume::kernels
