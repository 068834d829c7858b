// Rasters to resample to: the satellite's own projection, tiles of the web in degrees, or any map projection.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/geo/geostationary.hpp"
#include "data/images/raster.hpp"

namespace plume::data::geo {

// What a grid's coordinates are.
enum class Coordinates {
  scan_angles,  // of one satellite, times its height, in metres
  geographic,   // longitude and latitude in degrees
  projected,    // what the georeference's projection says
};

// The most pixels of a grid, which need not be read at once.
inline constexpr std::int64_t max_grid_pixels = std::int64_t{1} << 30;

struct Grid {
  int height = 0;
  int width = 0;
  Coordinates coordinates = Coordinates::geographic;
  Georeference georeference{};
};

// What a satellite's image covers, in the satellite's own projection: its own pixels, or square ones of this size in
// metres (which they have straight below the satellite). Throws usage_error for a resolution that is negative or gives
// more than max_grid_pixels; environment_error where GDAL, which writes the projection out, is absent.
[[nodiscard]] Grid grid_of(const FixedGrid& image, double resolution = 0);

// A tile of the web-mercator pyramid as users of WMTS cut it (x from the west, y from the north), but sampled evenly in
// degrees: `size` pixels between its western and eastern meridian, and as many between its parallels. So were
// NASA-IMPACT's tiles made, at zoom 7. Throws usage_error for a tile that is not there.
struct WebTile {
  int zoom = 7;
  int x = 0;
  int y = 0;
  bool operator==(const WebTile&) const = default;
};
[[nodiscard]] Grid grid_of(const WebTile& tile, int size = 256);

// The smallest grid of square pixels of this size (in the projection's units) that holds all of an image that is on
// Earth. A resolution of 0: as many pixels along the diagonal as the image has, as gdalwarp chooses.
// Throws usage_error for a projection that GDAL does not know or that has no place for the image, a resolution that is
// negative, and for more than max_grid_pixels; input_error for an image that shows space alone.
[[nodiscard]] Grid grid_around(const FixedGrid& image, const std::string& projection, double resolution = 0);

}  // namespace plume::data::geo
