// Images in the formats of files.
#pragma once

#include <string_view>

#include "unet/serve/image_batch.hpp"

namespace plume::serve {

// One image, as data/images reads it. bands: "1-6", counted from 1; empty for all.
// Throws plume::Error for what is damaged or larger than the limits, and for bands that are none.
[[nodiscard]] ImageBatch decode_png(std::string_view bytes, std::string_view bands, const DecodeLimits& limits);
[[nodiscard]] ImageBatch decode_tiff(std::string_view bytes, std::string_view bands, const DecodeLimits& limits);

}  // namespace plume::serve
