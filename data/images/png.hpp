// PNG images.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "data/images/raster.hpp"

namespace plume::data {

// Grey, RGB or palette (its indices), 1 to 16 bits, values as stored; alpha 0 or the transparent colour make a pixel
// not valid. name: for errors; bands: 0-based, in that order; empty: all. Throws input_error naming it: damaged, a band
// that is not there, more than most_values or raster.hpp's limits.
[[nodiscard]] Raster decode_png(std::span<const std::byte> bytes, const std::string& name,
                                const std::vector<int>& bands = {}, std::int64_t most_values = max_values);

// 8 bits: 1 channel grey, 3 RGB, 4 RGBA.
[[nodiscard]] std::vector<std::byte> encode_png(ImageShape shape, std::span<const std::uint8_t> pixels);

// The same to a file, through AtomicFile, not durable. Throws environment_error naming the path.
void write_png(const std::filesystem::path& path, ImageShape shape, std::span<const std::uint8_t> pixels);

}  // namespace plume::data
