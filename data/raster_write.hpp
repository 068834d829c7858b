// Writing results: GeoTIFF for maps, PNG for people. Every file appears whole or not at all (AtomicFile), though it may not
// outlive a loss of power.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "data/raster.hpp"

namespace plume::data {

// Height, width and channels of an interleaved [height, width, channels] image.
struct ImageShape {
  int height = 0;
  int width = 0;
  int channels = 1;
};

// A tiled, deflate-compressed GeoTIFF; the georeference is left out where it is not present().
// Throws environment_error naming the path (no folder, no permission, disk full), or where GDAL cannot be opened.
void write_geotiff(const std::filesystem::path& path, ImageShape shape, std::span<const float> pixels,
                   const Georeference& georeference);
void write_geotiff(const std::filesystem::path& path, ImageShape shape, std::span<const std::uint8_t> pixels,
                   const Georeference& georeference);

// An 8-bit PNG: 1 channel grey, 3 RGB, 4 RGBA; needs no GDAL. Throws environment_error naming the path.
void write_png(const std::filesystem::path& path, ImageShape shape, std::span<const std::uint8_t> pixels);

}  // namespace plume::data
