// One tile or mask: pixels, validity and georeference, whatever the file format.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/base/dtype.hpp"

namespace plume::data {

// The widest tile taken without an explicit choice of bands.
inline constexpr int max_bands = 16;

// The largest file read as one tile, so that a damaged header's claims are refused before memory is asked for. Six
// bands of a GOES full disk at 1 km (10848 x 10848) fit; ten bands of it, or one of 500 m (21696 x 21696), must be
// cut.
inline constexpr std::int64_t max_pixels = std::int64_t{1} << 28;  // height * width
inline constexpr std::int64_t max_values = std::int64_t{1} << 30;  // height * width * bands

// A GeoTIFF's projection as it stands in its tags, which GDAL makes WKT of.
// Source: OGC 19-008r4, "OGC GeoTIFF Standard", version 1.1.
struct GeoKeys {
  std::vector<std::uint16_t> directory;
  std::vector<double> doubles;
  std::string text;

  // Of a key that is kept in the directory itself; 0 where there is none.
  [[nodiscard]] std::uint16_t value_of(std::uint16_t key) const;
  // Whether coordinates are degrees of longitude and latitude in WGS 84 (EPSG:4326).
  [[nodiscard]] bool longitude_latitude() const;
  bool operator==(const GeoKeys&) const = default;
};

// Where a raster lies on Earth.
struct Georeference {
  std::string projection;  // WKT; empty where the file names none, or was read without GDAL
  // GDAL's affine transform: x = t[0] + column * t[1] + row * t[2], y = t[3] + column * t[4] + row * t[5],
  // in the projection's units (degrees for EPSG:4326), pixel corners.
  std::array<double, 6> transform{0, 1, 0, 0, 0, 1};
  GeoKeys keys{};  // of a GeoTIFF read without GDAL

  // Whether the file was georeferenced at all (the default transform and no projection: no).
  [[nodiscard]] bool present() const;
  bool operator==(const Georeference&) const = default;
};

// Columns and rows, in place, to coordinates by a Georeference's transform.
void apply(const std::array<double, 6>& transform, std::span<double> x, std::span<double> y);

// Height, width and channels of an interleaved [height, width, channels] image.
struct ImageShape {
  int height = 0;
  int width = 0;
  int channels = 1;
};

struct Raster {
  int height = 0;
  int width = 0;
  int bands = 0;
  DType stored = DType::u8;         // u8, u16 or f32: the narrowest of these that holds the file's type
  std::vector<float> pixels;        // [height, width, bands], raw values as stored; 0 where not valid
  std::vector<std::uint8_t> valid;  // [height, width], 1 measured, 0 fill or alpha 0; empty: all measured
  std::optional<float> nodata;      // of a mask's first band, where the file names one; may be NaN
  Georeference georeference;
};

// "1-6", "1,2,5" or "3,1-2", counted from 1, to 0-based indices in the order given; empty text: empty (all).
// Throws usage_error for anything else, for 0 and for a band named twice.
[[nodiscard]] std::vector<int> parse_bands(std::string_view text);

}  // namespace plume::data
