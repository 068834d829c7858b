// Smoke that NOAA's analysts drew on satellite images: one file of the Hazard Mapping System (HMS).
// Source: https://www.ospo.noaa.gov/products/land/hms.html
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "data/geo/lonlat.hpp"
#include "data/hms/time.hpp"

namespace plume::data {

enum class SmokeDensity : std::uint8_t { light = 1, medium = 2, heavy = 3 };

// "Light", "Medium" or "Heavy" in any case, or what stood for them until 2022: 5, 16 and 27 (micrograms per cubic
// metre; decimals may follow). None for any other text.
[[nodiscard]] std::optional<SmokeDensity> smoke_density_from_text(std::string_view text);

using Ring = std::vector<geo::LonLat>;  // open or closed: its last point leads back to its first

// One record. A part is inside or outside by the even-odd rule over its rings (an outline, then holes, in any
// direction); a place is smoke where any part holds it.
struct SmokePolygon {
  SmokeDensity density = SmokeDensity::light;
  TimeSpan seen;
  std::vector<std::vector<Ring>> parts;
};

// All records of a shapefile (.shp with .shx and .dbf), KML or GeoJSON file, in its order; none where it holds none,
// as on a day without smoke. Thread-safe.
//   attributes   `Density`, `Start`, `End` (hms/time.hpp) are fields, or lines of KML's description ("Density:", "Start
//                Time:", "End Time:"); a folder "Smoke (Light)" gives a density too. Placemarks without a polygon are
//                passed over in KML.
//   coordinates  are longitude and latitude; those of a projected layer are converted. A ring is continuous: one that
//                crosses the date line goes on beyond 180 or -180.
// Throws input_error naming the file and, where there is one, the record (from 0, as ogrinfo counts): missing, damaged,
// a shapefile without its .dbf, no density or times, an unknown density, a time that is none, an end before its start,
// no polygon, a coordinate that is no place on Earth, a ring round a pole; environment_error where GDAL cannot be
// opened.
[[nodiscard]] std::vector<SmokePolygon> read_smoke_polygons(const std::filesystem::path& path);

}  // namespace plume::data
