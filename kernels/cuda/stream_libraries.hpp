// The libraries that a stream's operations may go through, beside plume's own kernels.
#pragma once

#include <memory>

#include "kernels/cuda/cublaslt/product_library.hpp"
#include "kernels/cuda/cudnn/conv_library.hpp"

namespace plume::kernels::cuda {

// Null, unless use_vendor_libraries() or a test has set them.
struct StreamLibraries {
  std::unique_ptr<ConvLibrary> convolutions;
  std::unique_ptr<ProductLibrary> products;
};

[[nodiscard]] StreamLibraries& libraries_of(CudaStream& stream);

}  // namespace plume::kernels::cuda
