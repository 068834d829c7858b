// From the bytes of a request to images, by the type that the client says they have.
#pragma once

#include <string>
#include <string_view>

#include "unet/serve/image_batch.hpp"
#include "unet/serve/media_type.hpp"

namespace plume::serve {

// What a request says of its body: its Content-Type, and for application/octet-stream what its bytes are, by headers
// ("1,256,256,6" and "f4") or by parameters of the type (shape="1,256,256,6" or shape=1x256x256x6; dtype=f4).
struct BodyDescription {
  MediaType type;
  std::string_view shape;
  std::string_view dtype;  // f4 where it is empty; or u1, u2, f8; little endian
};

// application/json (decode_json.hpp), application/x-npy ([N, H, W, C] or [H, W, C]), application/octet-stream, image/png and
// image/tiff. Of an image file the parameter "bands" takes some: bands=1-6.
// The body may be changed. Throws RequestError: unsupported_media_type for another type; bad_request for a body that is no
// such thing, or damaged; else as batch_of_shape.
[[nodiscard]] ImageBatch decode_body(std::string& body, const BodyDescription& description, const DecodeLimits& limits);

}  // namespace plume::serve
