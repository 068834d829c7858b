// Map projections by GDAL, which has PROJ within: plume links none of its own.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "data/formats/gdal_api.hpp"

namespace plume::data::geo {

// The WKT of "EPSG:32610", a PROJ string or a WKT.
// Throws usage_error where GDAL knows no such projection; environment_error where GDAL cannot be opened.
[[nodiscard]] std::string wkt_of(const std::string& definition);

// Between a projection's coordinates (easting and northing, or longitude and latitude, in this order whatever the
// authority says) and longitude and latitude in degrees on WGS 84. One thread at a time.
class Transformation {
 public:
  // Throws std::logic_error unless GDAL made it.
  explicit Transformation(OGRCoordinateTransformationH owned);

  // In place; NaN where a point has no counterpart.
  void operator()(std::span<double> x, std::span<double> y) const;

 private:
  struct Destroy {
    void operator()(void* transformation) const { gdal().destroy_coordinate_transformation(transformation); }
  };
  std::unique_ptr<void, Destroy> transformation_;
};

// To a projection that a user names. Throws as wkt_of, usage_error where there is no way, and environment_error where
// GDAL does not find PROJ's data base.
[[nodiscard]] Transformation from_geographic(const std::string& definition);

// From a projection that a file names. None where nothing is to be done: it names none (an empty text, null), or its
// coordinates are longitude and latitude, whose datum is let pass.
// Throws input_error where GDAL knows no such projection or no way from it, and environment_error as from_geographic.
[[nodiscard]] std::optional<Transformation> to_geographic(const std::string& definition);
[[nodiscard]] std::optional<Transformation> to_geographic(OGRSpatialReferenceH source);

}  // namespace plume::data::geo
