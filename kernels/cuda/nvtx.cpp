// Ranges through NVTX 3, which is headers alone.
#include <nvtx3/nvToolsExt.h>

#include "kernels/cuda/range.hpp"

namespace plume::kernels {

ProfileRange::ProfileRange(const std::string& name) {
  nvtxRangePushA(name.c_str());
}

ProfileRange::~ProfileRange() {
  nvtxRangePop();
}

}  // namespace plume::kernels
