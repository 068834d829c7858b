// Images of the formats that need no large library: TIFF, PNG, .npy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "data/images/raster.hpp"

namespace plume::data {

// What files of these formats are called.
inline const std::set<std::string> image_extensions{".tif", ".tiff", ".png", ".npy"};

// Told by its first bytes; otherwise as decode_tiff, decode_png and raster_of a .npy have it. Every measured value is
// finite. Throws input_error as they do, for another format, and for NaN or infinity in a measured pixel.
[[nodiscard]] Raster decode_image(std::span<const std::byte> bytes, const std::string& name,
                                  const std::vector<int>& bands = {}, std::int64_t most_values = max_values);

// Of a file. Throws input_error also where it is missing, empty or no regular file.
[[nodiscard]] Raster read_image(const std::filesystem::path& path, const std::vector<int>& bands = {});

}  // namespace plume::data
