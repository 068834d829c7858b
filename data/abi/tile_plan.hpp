// Which tiles are cut from a scene.
#pragma once

#include <vector>

#include "data/geo/geostationary.hpp"
#include "data/geo/grid.hpp"

namespace plume::data::abi {

enum class Tiling {
  web,        // web-mercator tiles sampled in degrees (geo::WebTile)
  satellite,  // squares of the satellite's own pixels, from the image's north-western corner on
};

struct TilePlan {
  Tiling tiling = Tiling::web;
  int zoom = 7;              // of web tiles
  int size = 256;            // pixels of a tile's edge
  double least_share = 0.5;  // of a web tile's area that the image must show
};

struct PlannedTile {
  int row = 0;
  int column = 0;
  geo::Grid grid;
};

// Tiles of an image, by rows from the north. Tiles of the satellite's pixels are whole, so what is left over at the southern and
// eastern edge is left out. Throws usage_error for a size or zoom that is out of range (1..8192, 0..20).
[[nodiscard]] std::vector<PlannedTile> plan_tiles(const geo::FixedGrid& image, const TilePlan& plan);

}  // namespace plume::data::abi
