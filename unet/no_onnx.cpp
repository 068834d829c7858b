// In builds without ONNX's messages.
#include "kernels/base/error.hpp"
#include "unet/export_onnx.hpp"

namespace plume::unet {

std::string export_onnx(const std::filesystem::path&) {
  throw environment_error(
      "this plume was built without ONNX; install libonnx-dev and libprotobuf-dev, and build it anew");
}

}  // namespace plume::unet
