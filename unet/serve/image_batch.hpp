// What a request asks about: images of one size, whatever bytes they came in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "data/images/raster.hpp"

namespace plume::serve {

struct ImageBatch {
  int images = 0;
  int height = 0;
  int width = 0;
  int bands = 0;
  std::vector<float> pixels{};        // [images, height, width, bands], finite
  std::vector<std::uint8_t> valid{};  // [images, height, width], 1 measured, 0 fill; empty: all measured
  data::Georeference georeference{};  // of the one image that a file had
};

// What may be asked of a decoder at most; what claims more is refused before memory is taken for it.
struct DecodeLimits {
  std::size_t values = std::size_t{1} << 26;  // images * height * width * bands
};

// A batch without its pixels, from an array's shape: [N, H, W, C], or [H, W, C] of one image.
// Throws RequestError: unprocessable_content for another rank or an extent of 0, content_too_large beyond the limits.
[[nodiscard]] ImageBatch batch_of_shape(const std::vector<std::int64_t>& shape, const DecodeLimits& limits);

// Throws RequestError: unprocessable_content where the model takes another number of bands, or a pixel is NaN or infinite;
// content_too_large beyond the limits, counting what is computed: height and width as multiples of `multiple`.
void require_fit(const ImageBatch& batch, int bands, int multiple, const DecodeLimits& limits);

}  // namespace plume::serve
