// Polygons as GeoJSON (RFC 7946).
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "data/images/raster.hpp"
#include "unet/inference/polygons.hpp"

namespace plume::unet {

// Makes degrees of longitude and latitude of corners of pixels (columns and rows), in place; NaN where there is no such
// place.
using ToLonLat = std::function<void(std::span<double> x, std::span<double> y)>;

// By GeoTIFF's keys alone: where they say that the transform leads to longitude and latitude. Empty elsewhere.
[[nodiscard]] ToLonLat to_lon_lat(const data::Georeference& georeference);

// A FeatureCollection of a Polygon each, with the properties class, area_pixels, mean_probability and max_probability.
// Outlines run counter-clockwise and holes clockwise, in the sense of the coordinates that are written. Without
// to_lon_lat those are columns and rows of pixels, which RFC 7946 does not know; the member "coordinates" says which
// they are. Longitudes follow each other over the 180th meridian, so they may leave -180 to 180. Corners that are no
// place are left out, and rings of which less than three remain.
[[nodiscard]] std::string to_geojson(const std::vector<Polygon>& polygons, const ToLonLat& to_lon_lat = {});

}  // namespace plume::unet
