// cuDNN as a library of convolutions.
#pragma once

#include <memory>

#include "kernels/cuda/cudnn/conv_library.hpp"

namespace plume::kernels::cuda::cudnn {

// Null where cuDNN is not on this machine, or plume was built without its headers. To be used on this stream alone.
[[nodiscard]] std::unique_ptr<ConvLibrary> open(CudaStream& stream);

}  // namespace plume::kernels::cuda::cudnn
