// Polygons as KML, for globes and maps. Source: OGC 12-007r2, "OGC KML 2.3".
#pragma once

#include <string>
#include <vector>

#include "unet/inference/placed_polygon.hpp"

namespace plume::unet {

// A Document of a Placemark each, placed by `placed`, whose ExtendedData has class, area_pixels, mean_probability and
// max_probability. Longitudes are brought to -180 to 180.
[[nodiscard]] std::string to_kml(const std::vector<Polygon>& polygons, const ToLonLat& to_lon_lat);

}  // namespace plume::unet
