// From an array's shape to images.
#include "unet/serve/image_batch.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "unet/serve/status.hpp"

namespace plume::serve {
namespace {

std::string text_of(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const std::int64_t extent : shape) text += fmt::format("{}{}", text.empty() ? "" : ", ", extent);
  return text;
}

}  // namespace

ImageBatch batch_of_shape(const std::vector<std::int64_t>& shape, const DecodeLimits& limits) {
  const std::size_t rank = shape.size();
  if (rank != 3 && rank != 4) {
    throw request_error(Status::unprocessable_content,
                        "the array has the shape [{}]; [images, height, width, bands] is asked for, or "
                        "[height, width, bands]",
                        text_of(shape));
  }
  std::size_t values = 1;
  for (const std::int64_t extent : shape) {
    if (extent < 1) {
      throw request_error(Status::unprocessable_content, "the array of shape [{}] is empty", text_of(shape));
    }
    if (extent > std::numeric_limits<int>::max() || static_cast<std::size_t>(extent) > limits.values / values) {
      throw request_error(Status::content_too_large,
                          "the array has the shape [{}]; a request may have {} numbers at most", text_of(shape),
                          limits.values);
    }
    values *= static_cast<std::size_t>(extent);
  }
  const auto extent = [&](std::size_t from_the_end) { return static_cast<int>(shape[rank - from_the_end]); };
  return {.images = rank == 4 ? extent(4) : 1, .height = extent(3), .width = extent(2), .bands = extent(1)};
}

void require_fit(const ImageBatch& batch, int bands, int multiple, const DecodeLimits& limits) {
  if (batch.bands != bands) {
    throw request_error(Status::unprocessable_content, "the images have {} bands, the model takes {}", batch.bands,
                        bands);
  }
  const auto padded = [&](int extent) {
    const auto step = static_cast<std::size_t>(multiple);
    return (static_cast<std::size_t>(extent) + step - 1) / step * step;
  };
  const std::size_t values = static_cast<std::size_t>(batch.images) * static_cast<std::size_t>(batch.bands) *
                             padded(batch.height) * padded(batch.width);
  if (values > limits.values) {
    throw request_error(Status::content_too_large,
                        "the model works on multiples of {} pixels, so {} images of {}x{} amount to {} numbers; a "
                        "request may have {} at most",
                        multiple, batch.images, batch.height, batch.width, values, limits.values);
  }
  const auto bad = std::find_if_not(batch.pixels.begin(), batch.pixels.end(), [](float v) { return std::isfinite(v); });
  if (bad == batch.pixels.end()) return;
  const auto at = bad - batch.pixels.begin();
  const auto pixel = at / batch.bands;
  throw request_error(Status::unprocessable_content, "image {}, row {}, column {}, band {} is not a finite float",
                      pixel / batch.width / batch.height, pixel / batch.width % batch.height, pixel % batch.width,
                      at % batch.bands);
}

}  // namespace plume::serve
