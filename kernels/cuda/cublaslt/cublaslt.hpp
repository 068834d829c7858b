// cuBLASLt as a library of matrix products.
#pragma once

#include <memory>

#include "kernels/cuda/cublaslt/product_library.hpp"

namespace plume::kernels::cuda::cublaslt {

// Null where cuBLASLt is not on this machine, or plume was built without its headers. To be used on this stream alone.
[[nodiscard]] std::unique_ptr<ProductLibrary> open(CudaStream& stream);

}  // namespace plume::kernels::cuda::cublaslt
