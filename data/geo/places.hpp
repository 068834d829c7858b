// Where on Earth a raster's pixels are.
#pragma once

#include <functional>
#include <span>

#include "data/images/raster.hpp"

namespace plume::data::geo {

// Makes degrees of longitude and latitude of columns and rows (of corners of pixels: whole numbers), in place; NaN
// where there is no such place. Empty for a raster whose projection is not known. Throws input_error where GDAL does
// not know the projection, environment_error where it cannot be opened.
[[nodiscard]] std::function<void(std::span<double> x, std::span<double> y)> places_of(const Georeference& georeference);

}  // namespace plume::data::geo
