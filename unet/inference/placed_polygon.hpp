// Polygons in the coordinates in which they are written.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "data/images/raster.hpp"
#include "unet/inference/polygons.hpp"

namespace plume::unet {

// Makes degrees of longitude and latitude of corners of pixels (columns and rows), in place; NaN where there is no such
// place.
using ToLonLat = std::function<void(std::span<double> x, std::span<double> y)>;

// By GeoTIFF's keys alone: where they say that the transform leads to longitude and latitude. Empty elsewhere.
[[nodiscard]] ToLonLat to_lon_lat(const data::Georeference& georeference);

// Closed: the last corner is the first.
struct PlacedRing {
  std::vector<double> x;
  std::vector<double> y;
};

// The outline, counter-clockwise in the sense of the coordinates, and holes, clockwise. Without to_lon_lat coordinates
// are columns and rows of pixels. Longitudes follow each other over the 180th meridian, so they may leave -180 to 180.
// Corners that are no place are left out, and rings of which less than three remain; empty where that is the outline.
[[nodiscard]] std::vector<PlacedRing> placed(const Polygon& polygon, const ToLonLat& to_lon_lat);

}  // namespace plume::unet
