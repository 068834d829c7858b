// By Content-Type to the decoder.
#include "unet/serve/decode.hpp"

#include <span>
#include <utility>

#include "data/images/npy.hpp"
#include "kernels/base/error.hpp"
#include "unet/serve/decode_image.hpp"
#include "unet/serve/decode_json.hpp"
#include "unet/serve/decode_raw.hpp"
#include "unet/serve/status.hpp"

namespace plume::serve {
namespace {

ImageBatch decode_npy(std::string_view body, const DecodeLimits& limits) {
  data::NpyArray array = data::decode_npy(std::as_bytes(std::span(body)), "the body");
  ImageBatch batch = batch_of_shape(array.shape, limits);
  batch.pixels = std::move(array.values);
  return batch;
}

// What the client says, or else what it says by the type's parameter.
std::string_view either(std::string_view header, std::string_view parameter, std::string_view otherwise = {}) {
  if (!header.empty()) return header;
  return parameter.empty() ? otherwise : parameter;
}

ImageBatch decode_by_type(std::string& body, const BodyDescription& description, const DecodeLimits& limits) {
  const MediaType& type = description.type;
  if (type.name == "application/json") return decode_json(body, limits);
  if (type.name == "application/x-npy") return decode_npy(body, limits);
  if (type.name == "image/png") return decode_png(body, type.parameter("bands"), limits);
  if (type.name == "image/tiff") return decode_tiff(body, type.parameter("bands"), limits);
  if (type.name == "application/octet-stream") {
    return decode_raw(body, either(description.shape, type.parameter("shape")),
                      either(description.dtype, type.parameter("dtype"), "f4"), limits);
  }
  throw request_error(Status::unsupported_media_type,
                      "'{}' is not read; application/json, application/x-npy, application/octet-stream, image/png and "
                      "image/tiff are",
                      type.name);
}

}  // namespace

ImageBatch decode_body(std::string& body, const BodyDescription& description, const DecodeLimits& limits) {
  try {
    return decode_by_type(body, description, limits);
  } catch (const Error& error) {
    throw RequestError(Status::bad_request, error.what());
  }
}

}  // namespace plume::serve
