// TIFFs where plume was built without a libtiff that reports errors by handle (4.5).
#include "data/images/tiff.hpp"
#include "kernels/base/error.hpp"

namespace plume::data {
namespace {

Error absent() {
  return environment_error("this plume was built without libtiff 4.5 or newer, which reads and writes TIFF; use .npy");
}

}  // namespace

Raster decode_tiff(std::span<const std::byte>, const std::string&, const std::vector<int>&, std::int64_t) {
  throw absent();
}

std::vector<std::byte> encode_tiff(ImageShape, std::span<const float>, const Georeference&) {
  throw absent();
}

std::vector<std::byte> encode_tiff(ImageShape, std::span<const std::uint8_t>, const Georeference&) {
  throw absent();
}

}  // namespace plume::data
