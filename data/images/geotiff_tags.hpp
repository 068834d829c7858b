// Where a TIFF lies on Earth, in GeoTIFF's tags. Source: OGC 19-008r4, "OGC GeoTIFF Standard", version 1.1.
#pragma once

#include <tiffio.h>

#include <optional>

#include "data/images/raster.hpp"

namespace plume::data {

[[nodiscard]] Georeference read_geotiff_tags(::TIFF* tiff);

// Of a georeference without keys only the transform is written.
void write_geotiff_tags(::TIFF* tiff, const Georeference& georeference);

// GDAL's tag for the value of pixels that hold nothing, which may be NaN.
[[nodiscard]] std::optional<double> read_nodata_tag(::TIFF* tiff);

}  // namespace plume::data
