// Images in JSON: nested lists of numbers.
#pragma once

#include <string>

#include "unet/serve/image_batch.hpp"

namespace plume::serve {

// [N][H][W][C], or [H][W][C] of one image, as they are or as {"instances": ...}, where also a "signature_name" may stand, as
// TensorFlow Serving's clients send it. The text may get some room behind its end, which saves a copy where it had it.
// Throws RequestError: bad_request for what is no JSON, no such lists, or ragged ones; content_too_large beyond the limits;
// unprocessable_content for an empty list, or another depth. A number beyond f32's becomes infinite.
[[nodiscard]] ImageBatch decode_json(std::string& text, const DecodeLimits& limits);

}  // namespace plume::serve
