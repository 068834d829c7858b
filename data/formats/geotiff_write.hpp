// GeoTIFFs, by GDAL, which knows every projection. A file appears whole or not at all (AtomicFile), though it may not
// outlive a loss of power.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "data/images/raster.hpp"

namespace plume::data {

enum class GeotiffLayout {
  tiled,            // deflated tiles of 256 x 256
  cloud_optimized,  // COG: laid out for reading parts of it over HTTP, with smaller copies. Source: OGC 21-026.
};

// Writes one whose rows come one after the other, from above; about 256 of them are in memory. The georeference is
// left out where it is not present().
// Throws environment_error naming the path (no folder, no permission, disk full), or where GDAL cannot be opened.
class GeotiffWriter {
 public:
  // dtype: of the pixels, u8 or f32.
  GeotiffWriter(const std::filesystem::path& path, ImageShape shape, DType dtype, const Georeference& georeference,
                GeotiffLayout layout = GeotiffLayout::tiled);
  ~GeotiffWriter();
  GeotiffWriter(const GeotiffWriter&) = delete;
  GeotiffWriter& operator=(const GeotiffWriter&) = delete;

  // Whole rows, [rows, width, channels], of the type that was said.
  void write_rows(std::span<const float> pixels);
  void write_rows(std::span<const std::uint8_t> pixels);
  // After the last row.
  void finish();

 private:
  struct Open;
  void add(std::span<const std::byte> pixels);
  std::unique_ptr<Open> open_;
};

// A whole one, tiled.
void write_geotiff(const std::filesystem::path& path, ImageShape shape, std::span<const float> pixels,
                   const Georeference& georeference);
void write_geotiff(const std::filesystem::path& path, ImageShape shape, std::span<const std::uint8_t> pixels,
                   const Georeference& georeference);

}  // namespace plume::data
