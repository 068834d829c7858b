// PNGs by libpng, made in memory.
#include <png.h>

#include <cstddef>
#include <stdexcept>

#include "data/images/png.hpp"
#include "kernels/base/atomic_file.hpp"
#include "kernels/base/error.hpp"

namespace plume::data {
namespace {

png_uint_32 png_format(int channels) {
  switch (channels) {
    case 1: return PNG_FORMAT_GRAY;
    case 3: return PNG_FORMAT_RGB;
    case 4: return PNG_FORMAT_RGBA;
    default: throw std::logic_error("a PNG has 1, 3 or 4 channels");
  }
}

}  // namespace

std::vector<std::byte> encode_png(ImageShape shape, std::span<const std::uint8_t> pixels) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(shape.width);
  image.height = static_cast<png_uint_32>(shape.height);
  image.format = png_format(shape.channels);
  std::vector<std::byte> encoded(PNG_IMAGE_PNG_SIZE_MAX(image));
  png_alloc_size_t bytes = encoded.size();
  if (png_image_write_to_memory(&image, encoded.data(), &bytes, 0, pixels.data(), 0, nullptr) == 0)
    throw environment_error("cannot make a PNG of {}x{} pixels: {}", shape.height, shape.width, image.message);
  encoded.resize(bytes);
  return encoded;
}

void write_png(const std::filesystem::path& path, ImageShape shape, std::span<const std::uint8_t> pixels) {
  const auto encoded = encode_png(shape, pixels);
  AtomicFile file(path);
  file.write(encoded);
  file.commit(Durable::no);
}

}  // namespace plume::data
