// Two ways to the same rule: GDAL's scan lines where rows and columns are degrees, a test of each centre elsewhere.
#include "data/hms/rasterize.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

#include "data/formats/gdal.hpp"
#include "data/geo/projection.hpp"
#include "data/hms/rings.hpp"
#include "kernels/base/error.hpp"

namespace plume::data {
namespace {

constexpr std::array turns{-360.0, 0.0, 360.0};

// Calls visit(part, box, density) for each part, the lightest first, so that the densest stays where they overlap.
template <class Visit>
void each_part(std::span<const SmokePolygon> polygons, Visit&& visit) {
  for (const auto density : {SmokeDensity::light, SmokeDensity::medium, SmokeDensity::heavy}) {
    for (const auto& polygon : polygons) {
      if (polygon.density != density) continue;
      for (const auto& part : polygon.parts) visit(part, box_of(part), static_cast<std::uint8_t>(density));
    }
  }
}

geo::LonLat corner(const std::array<double, 6>& t, double column, double row) {
  return {t[0] + column * t[1] + row * t[2], t[3] + column * t[4] + row * t[5]};
}

struct GeometryDestroy {
  void operator()(void* geometry) const { gdal().destroy_geometry(geometry); }
};
using Geometry = std::unique_ptr<void, GeometryDestroy>;

Geometry geometry_of(const std::vector<Ring>& part, double shift) {
  Geometry polygon(gdal().create_geometry(wkbPolygon));
  for (const auto& ring : part) {
    auto* const line = gdal().create_geometry(wkbLinearRing);
    const auto add = [&](geo::LonLat point) {
      gdal().geometry_add_point(line, point.longitude + shift, point.latitude);
    };
    for (const auto point : ring) add(point);
    if (ring.front().longitude != ring.back().longitude || ring.front().latitude != ring.back().latitude)
      add(ring.front());
    gdal().geometry_add_geometry_directly(polygon.get(), line);
  }
  return polygon;
}

// A raster of one band in memory, of zeros.
GdalDataset memory_raster(int height, int width, const Georeference& georeference) {
  GdalDataset raster(gdal().create(gdal().get_driver_by_name("MEM"), "", width, height, 1, GDT_Byte, nullptr));
  auto transform = georeference.transform;
  if (raster) gdal().set_geo_transform(raster.get(), transform.data());
  return raster;
}

std::vector<std::uint8_t> by_scan_lines(std::span<const SmokePolygon> polygons, int height, int width,
                                        const Georeference& georeference) {
  LonLatBox cells;
  for (const double column : {0, width}) {
    for (const double row : {0, height}) cells.add(corner(georeference.transform, column, row));
  }
  std::vector<Geometry> owned;
  std::vector<OGRGeometryH> geometries;
  std::vector<double> densities;
  each_part(polygons, [&](const std::vector<Ring>& part, LonLatBox box, std::uint8_t density) {
    for (const double shift : turns) {
      if (!LonLatBox{{box.least.longitude + shift, box.least.latitude}, {box.most.longitude + shift, box.most.latitude}}
               .meets(cells))
        continue;
      owned.push_back(geometry_of(part, shift));
      geometries.push_back(owned.back().get());
      densities.push_back(density);
    }
  });
  std::vector<std::uint8_t> densest(static_cast<std::size_t>(height) * static_cast<std::size_t>(width));
  if (geometries.empty()) return densest;
  const GdalErrors errors;
  const auto raster = memory_raster(height, width, georeference);
  const int band = 1;
  if (!raster ||
      gdal().rasterize_geometries(raster.get(), 1, &band, static_cast<int>(geometries.size()), geometries.data(),
                                  nullptr, nullptr, densities.data(), nullptr, nullptr, nullptr) != CE_None ||
      gdal().raster_io(gdal().get_raster_band(raster.get(), 1), GF_Read, 0, 0, width, height, densest.data(), width,
                       height, GDT_Byte, 0, 0) != CE_None)
    throw environment_error("GDAL cannot rasterise {} polygons: {}", geometries.size(), errors.text());
  return densest;
}

std::vector<std::uint8_t> by_centres(std::span<const SmokePolygon> polygons, int height, int width,
                                     const Georeference& georeference, const geo::Transformation& to_degrees) {
  const auto cells = static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  std::vector<double> lon(cells);
  std::vector<double> lat(cells);
  std::size_t cell = 0;
  for (int row = 0; row < height; ++row) {
    for (int column = 0; column < width; ++column, ++cell) {
      const auto centre = corner(georeference.transform, column + 0.5, row + 0.5);
      lon[cell] = centre.longitude;
      lat[cell] = centre.latitude;
    }
  }
  to_degrees(lon, lat);
  std::vector<std::uint8_t> densest(cells);
  each_part(polygons, [&](const std::vector<Ring>& part, const LonLatBox& box, std::uint8_t density) {
    for (std::size_t i = 0; i < cells; ++i) {
      for (const double shift : turns) {
        // Beyond the Earth's rim they are NaN, and in no box.
        const geo::LonLat centre{lon[i] - shift, lat[i]};
        if (box.holds(centre) && inside(part, centre)) densest[i] = density;
      }
    }
  });
  return densest;
}

}  // namespace

std::vector<std::uint8_t> rasterize_smoke(std::span<const SmokePolygon> polygons, int height, int width,
                                          const Georeference& georeference) {
  if (!georeference.present()) throw input_error("without a georeference no polygon can be laid over a tile");
  // Grids whose outer cells are centred on a pole go a little beyond.
  const auto is_place = [](geo::LonLat at) { return std::abs(at.longitude) <= 720 && std::abs(at.latitude) <= 91; };
  if (georeference.projection.empty() &&
      !(is_place(corner(georeference.transform, 0, 0)) && is_place(corner(georeference.transform, width, height))))
    throw input_error("names no projection, and its coordinates are not degrees, so no polygon can be laid over it");
  const auto to_degrees = geo::to_geographic(georeference.projection);
  return to_degrees ? by_centres(polygons, height, width, georeference, *to_degrees)
                    : by_scan_lines(polygons, height, width, georeference);
}

}  // namespace plume::data
