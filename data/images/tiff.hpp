// TIFF images, by libtiff.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/images/raster.hpp"

namespace plume::data {

// The first image of a TIFF or BigTIFF: strips or tiles, any number of bands together or apart, integers of 8, 16 and
// 32 bits and floats of 32 and 64, in any compression that libtiff knows. Samples marked as alpha are no band: their
// zeros, and GDAL's nodata value in any chosen band, make a pixel not valid. Of a GeoTIFF the georeference is read
// (geotiff_tags.hpp). name: for errors; bands: 0-based, in that order; empty: all. NaN is let through (require_finite).
// Thread-safe. Throws input_error naming it: damaged, other samples, a band that is not there, more than most_values or
// raster.hpp's limits.
[[nodiscard]] Raster decode_tiff(std::span<const std::byte> bytes, const std::string& name,
                                 const std::vector<int>& bands = {}, std::int64_t most_values = max_values);

// A tiled, deflate-compressed TIFF; a GeoTIFF where the georeference is one that decode_tiff gave.
[[nodiscard]] std::vector<std::byte> encode_tiff(ImageShape shape, std::span<const float> pixels,
                                                 const Georeference& georeference = {});
[[nodiscard]] std::vector<std::byte> encode_tiff(ImageShape shape, std::span<const std::uint8_t> pixels,
                                                 const Georeference& georeference = {});

}  // namespace plume::data
