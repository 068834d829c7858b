// How fast this machine could multiply and add at most: the measure that rates of kernels are held against.
#pragma once

#include "kernels/stream.hpp"

namespace plume::kernels {

// f32 operations a second, two for each multiply-add, of the stream's threads with the instruction set in use: the best
// of some bursts, together about 0.1 s.
[[nodiscard]] double measure_peak(CpuStream& stream);

}  // namespace plume::kernels
