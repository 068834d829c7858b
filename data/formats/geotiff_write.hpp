// GeoTIFFs, by GDAL, which knows every projection. A file appears whole or not at all (AtomicFile), though it may not
// outlive a loss of power.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "data/images/raster.hpp"

namespace plume::data {

// A tiled, deflate-compressed GeoTIFF; the georeference is left out where it is not present().
// Throws environment_error naming the path (no folder, no permission, disk full), or where GDAL cannot be opened.
void write_geotiff(const std::filesystem::path& path, ImageShape shape, std::span<const float> pixels,
                   const Georeference& georeference);
void write_geotiff(const std::filesystem::path& path, ImageShape shape, std::span<const std::uint8_t> pixels,
                   const Georeference& georeference);

}  // namespace plume::data
