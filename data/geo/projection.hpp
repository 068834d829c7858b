// Map projections by GDAL, which has PROJ within: plume links none of its own.
#pragma once

#include <memory>
#include <span>
#include <string>

namespace plume::data::geo {

// The WKT of "EPSG:32610", a PROJ string or a WKT.
// Throws usage_error where GDAL knows no such projection; environment_error where GDAL cannot be opened.
[[nodiscard]] std::string wkt_of(const std::string& definition);

// From a projection's coordinates (easting and northing, or longitude and latitude, in this order whatever the
// authority says) to longitude and latitude in degrees on WGS 84, or back. One thread at a time.
class Transformation {
 public:
  enum class Direction { to_geographic, from_geographic };

  // Throws as wkt_of, and usage_error where there is no way between the two.
  Transformation(const std::string& definition, Direction direction);
  ~Transformation();
  Transformation(const Transformation&) = delete;
  Transformation& operator=(const Transformation&) = delete;

  // In place; NaN where a point has no counterpart.
  void operator()(std::span<double> x, std::span<double> y) const;

 private:
  void* transformation_ = nullptr;
};

}  // namespace plume::data::geo
