// Named stretches of host code in a profiler's timeline (NVTX): a layer's name over the kernels that it queues.
#pragma once

#include <string_view>

namespace plume::kernels {

// Stretches nest. Nothing where no profiler listens, or in builds without NVTX.
void push_timeline(std::string_view layer, std::string_view pass);
void pop_timeline();

}  // namespace plume::kernels
