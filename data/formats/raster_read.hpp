// Rasters from files of any format that GDAL knows, and from .npy arrays.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "data/images/image_rows.hpp"
#include "data/images/raster.hpp"

namespace plume::data {

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

// The same image, read by rows when it is asked for them. It may have any number of pixels; what is read at a time
// holds to max_pixels and max_values. A .npy is read at once.
[[nodiscard]] std::unique_ptr<ImageRows> open_raster(const std::filesystem::path& path,
                                                     const std::vector<int>& bands = {});

// The same for a mask, whose values are labels: all bands; only alpha 0 makes a pixel not valid, because tools mark the
// background as nodata (gdal_rasterize -a_nodata 0, PNG's tRNS) and labels.hpp must still see it; any value is let
// through, NaN too.
[[nodiscard]] Raster read_mask(const std::filesystem::path& path);

// A raster's georeference alone, without its pixels; of a .npy, which holds none, the default one. Throws as
// read_raster where the file cannot be opened.
[[nodiscard]] Georeference read_georeference(const std::filesystem::path& path);

// Whether the extension is one that a tile or mask may have (.tif .tiff .png .jpg .jpeg .npy .img .vrt .jp2 .bmp).
[[nodiscard]] bool is_raster_name(const std::filesystem::path& path);

// The raster files directly in a folder, sorted by name (bytewise). Throws input_error where there is no such folder,
// no such file in it, or two files of one stem.
[[nodiscard]] std::vector<std::filesystem::path> list_rasters(const std::filesystem::path& folder);

}  // namespace plume::data
