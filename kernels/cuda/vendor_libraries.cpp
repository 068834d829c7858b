// Gives a stream the libraries of this machine.
#include "kernels/vendor_libraries.hpp"

#include <cstdlib>
#include <string_view>

#include "kernels/base/error.hpp"
#include "kernels/cuda/cublaslt/cublaslt.hpp"
#include "kernels/cuda/cudnn/cudnn.hpp"
#include "kernels/cuda/note.hpp"
#include "kernels/cuda/stream_libraries.hpp"

namespace plume::kernels {
namespace {

// Null where the library is absent or, unless it is demanded, unusable: too old, or not for this driver.
template <class Open>
auto open_library(const Open& open, CudaStream& stream, bool demanded) -> decltype(open(stream)) {
  try {
    return open(stream);
  } catch (const Error& error) {
    if (demanded) throw;
    cuda::note(fmt::format("{}; plume's own kernels take its place", error.what()));
    return nullptr;
  }
}

}  // namespace

void use_vendor_libraries(CudaStream& stream) {
  const char* value = std::getenv("PLUME_CONVOLUTION");
  const std::string_view wish = value == nullptr ? "" : value;
  if (wish == "own") return;
  if (!wish.empty() && wish != "cudnn") throw usage_error("PLUME_CONVOLUTION={}: not one of own, cudnn", wish);

  const bool demanded = wish == "cudnn";
  auto& libraries = cuda::libraries_of(stream);
  libraries.convolutions = open_library(cuda::cudnn::open, stream, demanded);
  libraries.products = open_library(cuda::cublaslt::open, stream, demanded);
  if (demanded && !(libraries.convolutions && libraries.products)) {
    throw environment_error("PLUME_CONVOLUTION=cudnn: {} is not on this machine, or plume was built without it",
                            libraries.convolutions ? "cuBLASLt" : "cuDNN 9");
  }
}

}  // namespace plume::kernels
