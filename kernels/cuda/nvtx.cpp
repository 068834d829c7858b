// The timeline through NVTX 3, which is headers alone.
#include <nvtx3/nvToolsExt.h>

#include <string>

#include "kernels/cuda/timeline.hpp"

namespace plume::kernels {

void push_timeline(std::string_view layer, std::string_view pass) {
  const std::string name = std::string(layer).append(" ").append(pass);
  nvtxRangePushA(name.c_str());
}

void pop_timeline() {
  nvtxRangePop();
}

}  // namespace plume::kernels
