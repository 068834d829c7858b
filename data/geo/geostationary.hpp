// Where a geostationary imager looks: scan angles and places on the ellipsoid, in closed form.
// Source: GOES-R Product Definition and Users' Guide (PUG), volume 3, section 5.1.2.8.
#pragma once

#include <string>

#include "data/geo/lonlat.hpp"
#include "data/images/raster.hpp"

namespace plume::data::geo {

// Radians: x grows to the east, y to the north; the satellite sweeps about x ("sweep_angle_axis = x").
struct ScanAngle {
  double x;
  double y;
};

// GOES-R's goes_imager_projection.
struct Geostationary {
  double height = 35786023;           // perspective_point_height, metres above the ellipsoid
  double semi_major = 6378137;        // metres
  double semi_minor = 6356752.31414;  // metres
  double longitude_of_origin = -75;   // degrees
  bool operator==(const Geostationary&) const = default;

  // The place seen at a scan angle, its longitude in [-180, 180); NaN where it is space.
  [[nodiscard]] LonLat place(ScanAngle angle) const;
  // The scan angle at which a place is seen; NaN where it lies behind the horizon.
  [[nodiscard]] ScanAngle scan_angle(LonLat place) const;

  // The same in two steps, for grids in degrees, whose rows share a parallel and whose columns a meridian.
  struct Parallel {
    double from_axis;     // distance from the Earth's axis, metres
    double from_equator;  // distance from the equator's plane, metres
  };
  struct Meridian {
    double cosine;  // of the longitude from the origin
    double sine;
  };
  [[nodiscard]] Parallel parallel(double latitude) const;
  [[nodiscard]] Meridian meridian(double longitude) const;
  [[nodiscard]] ScanAngle scan_angle(const Parallel& parallel, const Meridian& meridian) const;

  // For GDAL and PROJ, whose coordinates of this projection are scan angles times the height, in metres.
  [[nodiscard]] std::string proj_string() const;
};

// Angles of the pixels' centres along one axis of an image: first + i * step, i in [0, count).
struct ScanAxis {
  double first = 0;
  double step = 0;
  int count = 0;
  bool operator==(const ScanAxis&) const = default;
};

// An image in the satellite's own projection: rows along y (usually from north to south), columns along x.
struct FixedGrid {
  Geostationary projection;
  ScanAxis x;
  ScanAxis y;
  bool operator==(const FixedGrid&) const = default;

  // GDAL's affine transform of the image, in metres (corners of pixels).
  [[nodiscard]] std::array<double, 6> transform() const;
};

}  // namespace plume::data::geo
