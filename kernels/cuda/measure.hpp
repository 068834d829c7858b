// How long queued work takes on the device.
#pragma once

#include <functional>

#include "kernels/stream.hpp"

namespace plume::kernels::cuda {

// The median of some runs, in milliseconds, after one that is not counted. Waits; not inside a capture.
[[nodiscard]] float measure(const std::function<void()>& queue_work, CudaStream& stream);

// Whether the stream's work is being recorded: then nothing may be measured, allocated or waited for.
[[nodiscard]] bool capturing(CudaStream& stream);

}  // namespace plume::kernels::cuda
