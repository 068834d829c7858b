// PNG and TIFF by data/images.
#include "unet/serve/decode_image.hpp"

#include <span>
#include <utility>

#include "data/images/png.hpp"
#include "data/images/tiff.hpp"

namespace plume::serve {
namespace {

constexpr const char* name = "the body";

ImageBatch batch_of(data::Raster raster) {
  return {.images = 1,
          .height = raster.height,
          .width = raster.width,
          .bands = raster.bands,
          .pixels = std::move(raster.pixels),
          .valid = std::move(raster.valid),
          .georeference = std::move(raster.georeference)};
}

}  // namespace

ImageBatch decode_png(std::string_view bytes, std::string_view bands, const DecodeLimits& limits) {
  return batch_of(data::decode_png(std::as_bytes(std::span(bytes)), name, data::parse_bands(bands),
                                   static_cast<std::int64_t>(limits.values)));
}

ImageBatch decode_tiff(std::string_view bytes, std::string_view bands, const DecodeLimits& limits) {
  return batch_of(data::decode_tiff(std::as_bytes(std::span(bytes)), name, data::parse_bands(bands),
                                    static_cast<std::int64_t>(limits.values)));
}

}  // namespace plume::serve
