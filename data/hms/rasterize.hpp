// Smoke polygons onto the cells of a raster.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/hms/polygons.hpp"
#include "data/images/raster.hpp"

namespace plume::data {

// The densest smoke over each cell: [height, width], 0 none, else SmokeDensity. A cell belongs to a polygon that holds
// its centre. Polygons' edges are straight in longitude and latitude, whatever the raster's projection; where that is
// longitude and latitude itself, every cell is what gdal_rasterize gives, burning light, medium and heavy in turn.
// Longitudes may differ by whole turns. Thread-safe.
// Throws input_error where the georeference is absent or GDAL does not know its projection; environment_error where
// GDAL cannot be opened.
[[nodiscard]] std::vector<std::uint8_t> rasterize_smoke(std::span<const SmokePolygon> polygons, int height, int width,
                                                        const Georeference& georeference);

}  // namespace plume::data
