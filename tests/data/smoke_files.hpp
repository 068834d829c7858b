// HMS files for tests: shapefiles byte by byte and GeoJSON, without OGR's help.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/hms/polygons.hpp"

namespace plume::tests {

struct SmokeRecord {
  std::string density = "Light";
  std::string start = "2018312 1400";
  std::string end = "2018312 1600";
  std::vector<data::Ring> rings{{{-120, 40}, {-119, 40}, {-119, 39}, {-120, 39}, {-120, 40}}};  // clockwise, closed
};

// path (.shp), its .shx and .dbf. `density_field` is the name of that column.
// Source: ESRI Shapefile Technical Description, July 1998; dBASE III.
void write_shapefile(const std::filesystem::path& path, const std::vector<SmokeRecord>& records,
                     const std::string& density_field = "Density");

// One feature a record, each of a polygon.
void write_geojson(const std::filesystem::path& path, const std::vector<SmokeRecord>& records);

}  // namespace plume::tests
