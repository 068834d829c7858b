// Numbers without a format, of the shape that the client says they have.
#pragma once

#include <string_view>

#include "unet/serve/image_batch.hpp"

namespace plume::serve {

// Little endian, C order. shape: "1,256,256,6" or "1x256x256x6"; dtype: u1, u2, f4 or f8.
// Throws RequestError: bad_request where shape or dtype are missing or no such thing, or the bytes are not as many as they
// say; else as batch_of_shape.
[[nodiscard]] ImageBatch decode_raw(std::string_view bytes, std::string_view shape, std::string_view dtype,
                                    const DecodeLimits& limits);

}  // namespace plume::serve
