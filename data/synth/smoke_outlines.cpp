// GDAL draws the contours and writes the shapefile.
#include "data/synth/smoke_outlines.hpp"

#include <fmt/chrono.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>

#include "data/formats/gdal.hpp"
#include "data/hms/archive.hpp"
#include "data/synth/world.hpp"
#include "kernels/base/error.hpp"

namespace plume::data::synth {
namespace {

constexpr int coarse = 4;          // cells of the smoke's grid to one that outlines follow: about 5 km
constexpr double tolerance = 0.4;  // of simplified outlines, in coarse cells
constexpr std::chrono::hours before{1};

struct Grid {
  int columns = 0;
  int rows = 0;
  std::vector<float> depth;
};

// The mean of coarse x coarse cells, with an empty margin so that outlines close.
Grid coarsened(const SmokeField& smoke) {
  Grid grid{smoke.columns() / coarse + 3, smoke.rows() / coarse + 3, {}};
  grid.depth.resize(static_cast<std::size_t>(grid.columns) * static_cast<std::size_t>(grid.rows));
  for (int row = 0; row < smoke.rows(); ++row) {
    for (int column = 0; column < smoke.columns(); ++column) {
      const auto from =
          static_cast<std::size_t>(row) * static_cast<std::size_t>(smoke.columns()) + static_cast<std::size_t>(column);
      const auto to = static_cast<std::size_t>(row / coarse + 1) * static_cast<std::size_t>(grid.columns) +
                      static_cast<std::size_t>(column / coarse + 1);
      grid.depth[to] += smoke.depth()[from] / (coarse * coarse);
    }
  }
  return grid;
}

// Three cells wide along rows and columns, twice.
void smooth(Grid& grid) {
  const auto along = [&](std::size_t step, std::size_t first, std::size_t length) {
    float left = 0;
    for (std::size_t i = 0; i < length; ++i) {
      float& here = grid.depth[first + i * step];
      const float right = i + 1 < length ? grid.depth[first + (i + 1) * step] : 0;
      const float mean = (left + 2 * here + right) / 4;
      left = here;
      here = mean;
    }
  };
  const auto columns = static_cast<std::size_t>(grid.columns);
  const auto rows = static_cast<std::size_t>(grid.rows);
  for (int pass = 0; pass < 2; ++pass) {
    for (std::size_t row = 0; row < rows; ++row) along(1, row * columns, columns);
    for (std::size_t column = 0; column < columns; ++column) along(columns, column, rows);
  }
}

Error cannot(const char* what, const GdalErrors& errors) {
  return environment_error("cannot {}: {}", what, errors.text());
}

// Longitudes and latitudes of a ring of coarse cells.
Ring ring_of(OGRGeometryH line, const AbiScene& scene) {
  constexpr double tiles_per_cell = coarse / static_cast<double>(cells_per_tile);
  Ring ring;
  for (int i = 0; i < gdal().geometry_get_point_count(line); ++i) {
    const double x = scene.column + (gdal().geometry_get_x(line, i) - 1) * tiles_per_cell;
    const double y = scene.row + (gdal().geometry_get_y(line, i) - 1) * tiles_per_cell;
    ring.push_back({longitude_of(x), latitude_of(y)});
  }
  return ring;
}

std::vector<Ring> rings_of(OGRGeometryH polygon, const AbiScene& scene) {
  std::vector<Ring> rings;
  const int count = gdal().geometry_get_geometry_count(polygon);
  rings.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) rings.push_back(ring_of(gdal().geometry_get_geometry_ref(polygon, i), scene));
  return rings;
}

// What lies above a depth: all of its polygons as one geometry of GDAL's.
void add_outlines(std::vector<SmokePolygon>& outlines, GDALRasterBandH band, float depth, const SmokePolygon& like,
                  const AbiScene& scene) {
  const GdalErrors errors;
  const GdalDataset memory(gdal().create(gdal().get_driver_by_name("Memory"), "", 0, 0, 0, GDT_Unknown, nullptr));
  auto* const layer =
      memory ? gdal().dataset_create_layer(memory.get(), "outlines", nullptr, wkbMultiPolygon, nullptr) : nullptr;
  if (layer == nullptr) throw cannot("outline smoke", errors);
  auto* const field = gdal().create_field("least", OFTReal);
  const bool ready = gdal().layer_create_field(layer, field, 1) == OGRERR_NONE;
  gdal().destroy_field(field);
  const std::string levels = fmt::format("FIXED_LEVELS={}", depth);
  std::array<char*, 4> options{const_cast<char*>(levels.c_str()), const_cast<char*>("POLYGONIZE=YES"),
                               const_cast<char*>("ELEV_FIELD_MIN=0"), nullptr};
  if (!ready || gdal().contour_generate(band, layer, options.data(), nullptr, nullptr) != CE_None)
    throw cannot("outline smoke", errors);
  gdal().layer_reset_reading(layer);
  while (auto* const feature = gdal().layer_get_next_feature(layer)) {
    // What lies below the level has 0, what lies above it the level, give or take a rounding.
    if (gdal().feature_get_field_as_double(feature, 0) > 0.5 * static_cast<double>(depth)) {
      auto* const simple = gdal().geometry_simplify(gdal().feature_get_geometry_ref(feature), tolerance);
      const bool several = gdal().geometry_flat_type(gdal().geometry_get_geometry_type(simple)) != wkbPolygon;
      for (int i = 0; i < (several ? gdal().geometry_get_geometry_count(simple) : 1); ++i) {
        outlines.push_back(like);
        outlines.back().parts = {rings_of(several ? gdal().geometry_get_geometry_ref(simple, i) : simple, scene)};
      }
      gdal().destroy_geometry(simple);
    }
    gdal().feature_destroy(feature);
  }
}

// What NOAA's files have, and how wide.
constexpr std::array<std::pair<const char*, int>, 4> fields{
    {{"Satellite", 15}, {"Start", 12}, {"End", 12}, {"Density", 6}}};

std::string hms_time(UtcTime time) {
  return fmt::format("{:%Y%j %H%M}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

OGRGeometryH geometry_of(const SmokePolygon& polygon) {
  auto* const geometry = gdal().create_geometry(wkbPolygon);
  for (const Ring& ring : polygon.parts.front()) {
    auto* const line = gdal().create_geometry(wkbLinearRing);
    for (const auto& [longitude, latitude] : ring) gdal().geometry_add_point(line, longitude, latitude);
    gdal().geometry_add_geometry_directly(geometry, line);
  }
  return geometry;
}

void write_layer(const std::filesystem::path& path, std::span<const SmokePolygon> polygons) {
  static constexpr std::array<const char*, 4> densities{"", "Light", "Medium", "Heavy"};
  const GdalErrors errors;
  GdalDataset file(
      gdal().create(gdal().get_driver_by_name("ESRI Shapefile"), path.c_str(), 0, 0, 0, GDT_Unknown, nullptr));
  auto* const reference = gdal().new_spatial_reference(nullptr);
  gdal().set_from_user_input(reference, "EPSG:4326");
  auto* const layer =
      file ? gdal().dataset_create_layer(file.get(), path.stem().c_str(), reference, wkbPolygon, nullptr) : nullptr;
  gdal().destroy_spatial_reference(reference);
  bool written = layer != nullptr;
  for (std::size_t i = 0; written && i < fields.size(); ++i) {
    auto* const field = gdal().create_field(fields[i].first, OFTString);
    gdal().field_set_width(field, fields[i].second);
    written = gdal().layer_create_field(layer, field, 1) == OGRERR_NONE;
    gdal().destroy_field(field);
  }
  for (std::size_t i = 0; written && i < polygons.size(); ++i) {
    auto* const feature = gdal().create_feature(gdal().layer_get_definition(layer));
    gdal().feature_set_string(feature, 0, "GOES-WEST");
    gdal().feature_set_string(feature, 1, hms_time(polygons[i].seen.first).c_str());
    gdal().feature_set_string(feature, 2, hms_time(polygons[i].seen.last).c_str());
    gdal().feature_set_string(feature, 3, densities[static_cast<std::size_t>(polygons[i].density)]);
    written = gdal().feature_set_geometry_directly(feature, geometry_of(polygons[i])) == OGRERR_NONE &&
              gdal().layer_add_feature(layer, feature) == OGRERR_NONE;
    gdal().feature_destroy(feature);
  }
  file.reset();  // writes the rest
  if (!written || errors.any()) throw environment_error("cannot write {}: {}", path.string(), errors.text());
}

}  // namespace

std::vector<SmokePolygon> outline_smoke(const AbiScene& scene) {
  Grid grid = coarsened(scene.smoke);
  smooth(grid);
  const GdalErrors errors;
  const GdalDataset raster(
      gdal().create(gdal().get_driver_by_name("MEM"), "", grid.columns, grid.rows, 1, GDT_Float32, nullptr));
  std::array<double, 6> cells{0, 1, 0, 0, 0, 1};  // without a transform contours are upside down
  if (raster) gdal().set_geo_transform(raster.get(), cells.data());
  auto* const band = raster ? gdal().get_raster_band(raster.get(), 1) : nullptr;
  if (band == nullptr || gdal().raster_io(band, GF_Write, 0, 0, grid.columns, grid.rows, grid.depth.data(),
                                          grid.columns, grid.rows, GDT_Float32, 0, 0) != CE_None) {
    throw cannot("outline smoke", errors);
  }
  const UtcTime time = std::chrono::floor<std::chrono::minutes>(scene.start);
  std::vector<SmokePolygon> outlines;
  for (std::size_t i = 0; i < outline_depths.size(); ++i) {
    const SmokePolygon like{static_cast<SmokeDensity>(i + 1), {time - before, time + before}, {}};
    add_outlines(outlines, band, outline_depths[i], like, scene);
  }
  return outlines;
}

void write_smoke_day(const std::filesystem::path& folder, UtcTime time, std::span<const SmokePolygon> polygons) {
  namespace fs = std::filesystem;
  const auto day = std::chrono::floor<std::chrono::days>(time - smoke_day_start);
  const std::string stem = fmt::format("hms_smoke{:%Y%m%d}", fmt::gmtime(std::chrono::system_clock::to_time_t(day)));
  // Whole files appear in the folder, the .shp last, as readers look for that.
  const fs::path making = folder / fmt::format(".{}.tmp-{}", stem, ::getpid());
  std::error_code failed;
  fs::create_directories(making, failed);
  if (failed) throw environment_error("cannot make {}: {}", making.string(), failed.message());
  try {
    write_layer(making / (stem + ".shp"), polygons);
    for (const char* ending : {".dbf", ".shx", ".prj", ".shp"}) {
      fs::rename(making / (stem + ending), folder / (stem + ending), failed);
      if (failed) throw environment_error("cannot write {}: {}", (folder / stem).string() + ending, failed.message());
    }
  } catch (...) {
    fs::remove_all(making, failed);
    throw;
  }
  fs::remove_all(making, failed);
}

}  // namespace plume::data::synth
