// Polygons as GeoJSON (RFC 7946).
#pragma once

#include <string>
#include <vector>

#include "unet/inference/placed_polygon.hpp"

namespace plume::unet {

// A FeatureCollection of a Polygon each, placed by `placed`, with the properties class, area_pixels, mean_probability
// and max_probability. Without to_lon_lat coordinates are of pixels, which RFC 7946 does not know; the member
// "coordinate_system" says which they are.
[[nodiscard]] std::string to_geojson(const std::vector<Polygon>& polygons, const ToLonLat& to_lon_lat = {});

}  // namespace plume::unet
