// Web tiles are found by the places of a sample of the image's pixels, then judged by what the image shows of each.
#include "data/abi/tile_plan.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>
#include <tuple>
#include <utility>

#include "kernels/base/error.hpp"

namespace plume::data::abi {
namespace {

constexpr int samples = 16;  // along a tile's edge, to tell how much of it an image shows

struct Place {
  int y = 0;
  int x = 0;
  bool operator<(const Place& other) const { return std::tie(y, x) < std::tie(other.y, other.x); }
};

Place tile_of(const geo::LonLat& place, int zoom) {
  const double tiles = std::exp2(zoom);
  const double latitude = place.latitude * std::numbers::pi / 180;
  const double x = (place.longitude + 180) / 360 * tiles;
  const double y = (1 - std::asinh(std::tan(latitude)) / std::numbers::pi) / 2 * tiles;
  return {static_cast<int>(std::floor(y)), static_cast<int>(std::floor(x))};
}

bool shows(const geo::FixedGrid& image, const geo::ScanAngle& angle) {
  const auto inside = [](const geo::ScanAxis& axis, double value) {
    const double pixel = (value - axis.first) / axis.step;
    return pixel >= -0.5 && pixel <= axis.count - 0.5;  // not for NaN
  };
  return inside(image.x, angle.x) && inside(image.y, angle.y);
}

// The share of a grid in degrees that an image shows.
double shown_share(const geo::FixedGrid& image, const geo::Grid& grid) {
  const auto& t = grid.georeference.transform;
  int shown = 0;
  for (int row = 0; row < samples; ++row) {
    for (int column = 0; column < samples; ++column) {
      const double x = (column + 0.5) * grid.width / samples;
      const double y = (row + 0.5) * grid.height / samples;
      const geo::LonLat place{t[0] + x * t[1], t[3] + y * t[5]};
      shown += shows(image, image.projection.scan_angle(place)) ? 1 : 0;
    }
  }
  return static_cast<double>(shown) / (samples * samples);
}

std::vector<PlannedTile> web_tiles(const geo::FixedGrid& image, const TilePlan& plan) {
  const int tiles = 1 << plan.zoom;
  std::set<Place> places;
  // Forty samples to a tile at nadir, for towards the limb and the poles tiles look a tenth as high; or every pixel.
  const auto steps = [&](const geo::ScanAxis& axis) {
    const double tile_angle = 2 * std::numbers::pi * image.projection.semi_major / tiles / image.projection.height;
    return std::clamp(static_cast<int>(std::abs(axis.step) * axis.count / tile_angle * 40) + 2, 2,
                      std::max(2, axis.count));
  };
  const int rows = steps(image.y);
  const int columns = steps(image.x);
  for (int row = 0; row < rows; ++row) {
    for (int column = 0; column < columns; ++column) {
      const auto at = [](const geo::ScanAxis& axis, int i, int count) {
        return axis.first + axis.step * (axis.count - 1) * i / (count - 1);
      };
      const auto place = image.projection.place({at(image.x, column, columns), at(image.y, row, rows)});
      if (std::isnan(place.latitude)) continue;
      // Towards the limb a tile may lie between two samples.
      const Place tile = tile_of(place, plan.zoom);
      for (const int dy : {-1, 0, 1}) {
        for (const int dx : {-1, 0, 1}) {
          const int y = tile.y + dy;
          if (y >= 0 && y < tiles) places.insert({y, ((tile.x + dx) % tiles + tiles) % tiles});
        }
      }
    }
  }
  std::vector<PlannedTile> planned;
  for (const auto& [y, x] : places) {
    geo::Grid grid = geo::grid_of(geo::WebTile{plan.zoom, x, y}, plan.size);
    if (shown_share(image, grid) < plan.least_share) continue;
    planned.push_back({y, x, std::move(grid)});
  }
  return planned;
}

std::vector<PlannedTile> satellite_tiles(const geo::FixedGrid& image, const TilePlan& plan) {
  std::vector<PlannedTile> planned;
  const auto part = [&](const geo::ScanAxis& axis, int i) {
    return geo::ScanAxis{axis.first + axis.step * i * plan.size, axis.step, plan.size};
  };
  for (int row = 0; row < image.y.count / plan.size; ++row) {
    for (int column = 0; column < image.x.count / plan.size; ++column) {
      planned.push_back(
          {row, column, geo::grid_of(geo::FixedGrid{image.projection, part(image.x, column), part(image.y, row)})});
    }
  }
  return planned;
}

}  // namespace

std::vector<PlannedTile> plan_tiles(const geo::FixedGrid& image, const TilePlan& plan) {
  if (plan.size < 1 || plan.size > 8192) throw usage_error("tiles of {} pixels: 1 to 8192 are possible", plan.size);
  if (plan.zoom < 0 || plan.zoom > 20) throw usage_error("a zoom of {}: 0 to 20 are possible", plan.zoom);
  return plan.tiling == Tiling::web ? web_tiles(image, plan) : satellite_tiles(image, plan);
}

}  // namespace plume::data::abi
