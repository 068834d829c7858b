// Stands in for cuDNN where its headers are absent, and in the emulator: convolutions go through plume's own kernels.
#include "kernels/cuda/cudnn/cudnn.hpp"

namespace plume::kernels::cuda::cudnn {

std::unique_ptr<ConvLibrary> open(CudaStream&) {
  return nullptr;
}

}  // namespace plume::kernels::cuda::cudnn
