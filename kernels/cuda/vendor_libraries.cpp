// Gives a stream the libraries of this machine.
#include "kernels/vendor_libraries.hpp"

#include <cstdlib>
#include <string_view>

#include "kernels/base/error.hpp"
#include "kernels/cuda/cublaslt/cublaslt.hpp"
#include "kernels/cuda/cudnn/cudnn.hpp"
#include "kernels/cuda/stream_libraries.hpp"

namespace plume::kernels {

void use_vendor_libraries(CudaStream& stream) {
  const char* value = std::getenv("PLUME_CONVOLUTION");
  const std::string_view wish = value == nullptr ? "" : value;
  if (wish == "own") return;
  if (!wish.empty() && wish != "cudnn") throw usage_error("PLUME_CONVOLUTION={}: not one of own, cudnn", wish);

  auto& libraries = cuda::libraries_of(stream);
  libraries.convolutions = cuda::cudnn::open(stream);
  libraries.products = cuda::cublaslt::open(stream);
  if (wish == "cudnn" && !(libraries.convolutions && libraries.products)) {
    throw environment_error("PLUME_CONVOLUTION=cudnn: {} is not on this machine, or plume was built without it",
                            libraries.convolutions ? "cuBLASLt" : "cuDNN 9");
  }
}

}  // namespace plume::kernels
