// NVIDIA's libraries of tuned kernels, where this machine has them.
#pragma once

#include "kernels/stream.hpp"

namespace plume::kernels {

// From here on the stream's convolutions go through cuDNN 9, and transposed ones through cuBLASLt, where these are found
// at run time and can do them; everything else, and every other stream, goes through plume's own kernels. A program that
// never calls this links nothing of them. The environment variable PLUME_CONVOLUTION says more: "own" leaves the stream
// as it is, "cudnn" demands the libraries: throws environment_error where one is absent. Throws usage_error for any
// other value. The first use of each convolution may take seconds, for it measures (kernels/cuda/cudnn/plans.hpp).
void use_vendor_libraries(CudaStream& stream);

}  // namespace plume::kernels
