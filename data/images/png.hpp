// PNG images.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "data/images/raster.hpp"

namespace plume::data {

// 8 bits: 1 channel grey, 3 RGB, 4 RGBA.
[[nodiscard]] std::vector<std::byte> encode_png(ImageShape shape, std::span<const std::uint8_t> pixels);

// The same to a file, through AtomicFile, not durable. Throws environment_error naming the path.
void write_png(const std::filesystem::path& path, ImageShape shape, std::span<const std::uint8_t> pixels);

}  // namespace plume::data
