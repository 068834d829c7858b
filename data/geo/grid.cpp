// The transforms of grids.
#include "data/geo/grid.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "data/geo/projection.hpp"
#include "kernels/base/error.hpp"

namespace plume::data::geo {
namespace {

struct Bounds {
  double least = std::numeric_limits<double>::infinity();
  double most = -std::numeric_limits<double>::infinity();
  void add(double value) {
    if (std::isnan(value)) return;
    least = std::min(least, value);
    most = std::max(most, value);
  }
  [[nodiscard]] double extent() const { return most - least; }
};

// The place at a corner of pixels, counted from the first pixel's first.
LonLat corner_of(const FixedGrid& image, int row, int column) {
  return image.projection.place(
      {.x = image.x.first + (column - 0.5) * image.x.step, .y = image.y.first + (row - 0.5) * image.y.step});
}

bool is_space(LonLat place) {
  return std::isnan(place.latitude);
}

// The corner in a row that is furthest from `inner` towards `outer` and on Earth. The Earth being a disk, what a row
// sees of it is one stretch, so halving finds its end.
int last_on_earth(const FixedGrid& image, int row, int inner, int outer) {
  if (!is_space(corner_of(image, row, outer))) return outer;
  while (std::abs(outer - inner) > 1) {
    const int middle = (inner + outer) / 2;
    (is_space(corner_of(image, row, middle)) ? outer : inner) = middle;
  }
  return inner;
}

// Places around what an image shows of the Earth: both ends of each row, and all of the first and the last.
struct Outline {
  std::vector<double> longitude;
  std::vector<double> latitude;

  void add(LonLat place) {
    if (is_space(place)) return;
    longitude.push_back(place.longitude);
    latitude.push_back(place.latitude);
  }
};

Outline outline_of(const FixedGrid& image) {
  Outline outline;
  const double central = std::round(-image.x.first / image.x.step + 0.5);
  const int inner = static_cast<int>(std::clamp(central, 0.0, static_cast<double>(image.x.count)));
  for (int row = 0; row <= image.y.count; ++row) {
    if (is_space(corner_of(image, row, inner))) continue;
    outline.add(corner_of(image, row, last_on_earth(image, row, inner, 0)));
    outline.add(corner_of(image, row, last_on_earth(image, row, inner, image.x.count)));
  }
  for (const int row : {0, image.y.count}) {
    for (int column = 0; column <= image.x.count; ++column) outline.add(corner_of(image, row, column));
  }
  if (outline.longitude.empty()) throw input_error("an image shows space alone: there is no grid around it");
  return outline;
}

// Across the date line too longitudes go on, as far as the satellite sees.
void unwrap(std::span<double> longitudes, double about) {
  for (double& longitude : longitudes) longitude -= 360 * std::round((longitude - about) / 360);
}

// The distance between the image's first and last corner, or, where one of them is space, between the grid's, for as
// many pixels as the image has between its own.
double natural_resolution(const FixedGrid& image, const Transformation& to_projection, const Bounds& x,
                          const Bounds& y) {
  const LonLat first = corner_of(image, 0, 0);
  const LonLat last = corner_of(image, image.y.count, image.x.count);
  std::array longitudes{first.longitude, last.longitude};
  std::array latitudes{first.latitude, last.latitude};
  unwrap(longitudes, image.projection.longitude_of_origin);
  to_projection(longitudes, latitudes);
  const double diagonal = std::hypot(longitudes[1] - longitudes[0], latitudes[1] - latitudes[0]);
  return (std::isnan(diagonal) ? std::hypot(x.extent(), y.extent()) : diagonal) /
         std::hypot(image.x.count, image.y.count);
}

void check_resolution(double resolution) {
  if (!(resolution >= 0)) throw usage_error("a resolution of {} is not positive", resolution);
}

int pixels_along(double extent, double resolution) {
  constexpr double most = std::numeric_limits<int>::max();
  return static_cast<int>(std::clamp(std::round(extent / resolution), 1.0, most));
}

void check_size(const Grid& grid, double resolution) {
  if (std::int64_t{grid.width} * grid.height > max_grid_pixels)
    throw usage_error("a resolution of {} would give {} x {} pixels, more than the {} that a grid may have", resolution,
                      grid.height, grid.width, max_grid_pixels);
}

}  // namespace

Grid grid_of(const FixedGrid& image, double resolution) {
  check_resolution(resolution);
  Grid grid{.height = image.y.count,
            .width = image.x.count,
            .coordinates = Coordinates::scan_angles,
            .georeference = {wkt_of(image.projection.proj_string()), image.transform()}};
  if (resolution == 0) return grid;
  auto& t = grid.georeference.transform;
  grid.width = pixels_along(grid.width * std::abs(t[1]), resolution);
  grid.height = pixels_along(grid.height * std::abs(t[5]), resolution);
  check_size(grid, resolution);
  t[1] = std::copysign(resolution, t[1]);
  t[5] = std::copysign(resolution, t[5]);
  return grid;
}

Grid grid_of(const WebTile& tile, int size) {
  if (tile.zoom < 0 || tile.zoom > 24) throw usage_error("a web tile has a zoom of 0 to 24, not {}", tile.zoom);
  const int across = 1 << tile.zoom;
  if (tile.x < 0 || tile.x >= across || tile.y < 0 || tile.y >= across)
    throw usage_error("at zoom {} web tiles are numbered 0 to {}; there is no x = {}, y = {}", tile.zoom, across - 1,
                      tile.x, tile.y);
  const auto latitude = [&](int y) {
    return std::atan(std::sinh(std::numbers::pi * (1 - 2.0 * y / across))) * 180 / std::numbers::pi;
  };
  const double west = 360.0 * tile.x / across - 180;
  const double north = latitude(tile.y);
  return {.height = size,
          .width = size,
          .coordinates = Coordinates::geographic,
          .georeference = {wkt_of("EPSG:4326"),
                           {west, 360.0 / across / size, 0, north, 0, (latitude(tile.y + 1) - north) / size}}};
}

Grid grid_around(const FixedGrid& image, const std::string& projection, double resolution) {
  check_resolution(resolution);
  const Transformation to_projection = from_geographic(projection);
  Grid grid{.georeference = {wkt_of(projection), {}}};
  const bool geographic = grid.georeference.projection.starts_with("GEOGCS");
  grid.coordinates = geographic ? Coordinates::geographic : Coordinates::projected;
  Outline outline = outline_of(image);
  to_projection(outline.longitude, outline.latitude);
  if (geographic) unwrap(outline.longitude, image.projection.longitude_of_origin);
  Bounds x;
  Bounds y;
  for (const double value : outline.longitude) x.add(value);
  for (const double value : outline.latitude) y.add(value);
  if (!(x.extent() > 0 && y.extent() > 0)) throw usage_error("{} has no place for what the image shows", projection);
  if (resolution == 0) resolution = natural_resolution(image, to_projection, x, y);
  grid.width = pixels_along(x.extent(), resolution);
  grid.height = pixels_along(y.extent(), resolution);
  check_size(grid, resolution);
  grid.georeference.transform = {x.least, resolution, 0, y.most, 0, -resolution};
  return grid;
}

}  // namespace plume::data::geo
