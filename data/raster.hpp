// One tile or mask read from disk: pixels, validity and georeference, whatever the file format.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
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

// Where a raster lies on Earth.
struct Georeference {
  std::string projection;  // WKT; empty where the file names none
  // GDAL's affine transform: x = t[0] + column * t[1] + row * t[2], y = t[3] + column * t[4] + row * t[5],
  // in the projection's units (degrees for EPSG:4326), pixel corners.
  std::array<double, 6> transform{0, 1, 0, 0, 0, 1};

  // Whether the file was georeferenced at all (GDAL's default transform and no projection: no).
  [[nodiscard]] bool present() const;
  bool operator==(const Georeference&) const = default;
};

struct Raster {
  int height = 0;
  int width = 0;
  int bands = 0;
  DType stored = DType::u8;         // u8, u16 or f32: the narrowest of these that holds the file's type
  std::vector<float> pixels;        // [height, width, bands], raw values as stored; 0 where not valid
  std::vector<std::uint8_t> valid;  // [height, width], 1 measured, 0 fill or alpha 0; empty: all measured
  std::optional<float> nodata;      // of a mask's first band (read_mask), where the file names one; may be NaN
  Georeference georeference;
};

// Reads a GeoTIFF, PNG, JPEG or any other raster that GDAL knows, or a .npy array. Extensions in either case.
// Thread-safe.
//   bands  0-based indices of the bands to take, in that order, alpha not counted; empty: all.
//   alpha  A band whose colour interpretation is alpha is no input: its zeros, and the file's nodata value in any
//          chosen band, make a pixel not valid.
//   types  u8 and u16 keep their type; i16, i32, u32 and f64 become f32 (integers beyond 2^24 are rounded).
//   .npy   C order; [H, W], [H, W, C] or [C, H, W], any of them with a leading 1. Three dimensions are [C, H, W] when
//          the first is at most 16 and the last is more than 16, otherwise [H, W, C].
// Throws input_error naming the file: missing, no regular file, empty, damaged, an unknown format, larger than
// max_pixels or, in the chosen bands (.npy: in all), than max_values, complex pixels, a band that is not there, NaN
// or infinity in a measured pixel (with band, row and column, 1-based band as GDAL counts); environment_error where
// anything but .npy is read and GDAL cannot be opened.
[[nodiscard]] Raster read_raster(const std::filesystem::path& path, const std::vector<int>& bands = {});

// The same for a mask, whose values are labels: all bands; only alpha 0 makes a pixel not valid, because tools mark the
// background as nodata (gdal_rasterize -a_nodata 0, PNG's tRNS) and labels.hpp must still see it; any value is let
// through, NaN too.
[[nodiscard]] Raster read_mask(const std::filesystem::path& path);

// A raster's georeference alone, without its pixels; of a .npy, which holds none, the default one. Throws as
// read_raster where the file cannot be opened.
[[nodiscard]] Georeference read_georeference(const std::filesystem::path& path);

// "1-6", "1,2,5" or "3,1-2", counted from 1, to 0-based indices in the order given; empty text: empty (all).
// Throws usage_error for anything else, for 0 and for a band named twice.
[[nodiscard]] std::vector<int> parse_bands(std::string_view text);

// Whether the extension is one that a tile or mask may have (.tif .tiff .png .jpg .jpeg .npy .img .vrt .jp2 .bmp).
[[nodiscard]] bool is_raster_name(const std::filesystem::path& path);

// The raster files directly in a folder, sorted by name (bytewise). Throws input_error where there is no such folder,
// no such file in it, or two files of one stem.
[[nodiscard]] std::vector<std::filesystem::path> list_rasters(const std::filesystem::path& folder);

}  // namespace plume::data
