// The equations of the PUG, with its names.
#include "data/geo/geostationary.hpp"

#include <fmt/core.h>

#include <cmath>
#include <limits>
#include <numbers>

namespace plume::data::geo {
namespace {

constexpr double degree = std::numbers::pi / 180;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

double wrapped(double longitude) {
  return longitude - 360 * std::floor((longitude + 180) / 360);
}

}  // namespace

LonLat Geostationary::place(ScanAngle angle) const {
  const double H = height + semi_major;
  const double flattening = semi_major * semi_major / (semi_minor * semi_minor);
  const double cos_x = std::cos(angle.x);
  const double sin_x = std::sin(angle.x);
  const double cos_y = std::cos(angle.y);
  const double sin_y = std::sin(angle.y);
  const double a = sin_x * sin_x + cos_x * cos_x * (cos_y * cos_y + flattening * sin_y * sin_y);
  const double b = -2 * H * cos_x * cos_y;
  const double c = H * H - semi_major * semi_major;
  const double discriminant = b * b - 4 * a * c;
  if (!(discriminant >= 0)) return {nan, nan};
  const double r_s = (-b - std::sqrt(discriminant)) / (2 * a);
  const double s_x = r_s * cos_x * cos_y;
  const double s_y = -r_s * sin_x;
  const double s_z = r_s * cos_x * sin_y;
  const double latitude = std::atan(flattening * s_z / std::hypot(H - s_x, s_y));
  const double longitude = longitude_of_origin - std::atan2(s_y, H - s_x) / degree;
  return {wrapped(longitude), latitude / degree};
}

ScanAngle Geostationary::scan_angle(LonLat place) const {
  return scan_angle(parallel(place.latitude), meridian(place.longitude));
}

Geostationary::Parallel Geostationary::parallel(double latitude) const {
  const double flattening = semi_major * semi_major / (semi_minor * semi_minor);
  const double eccentricity2 = 1 - 1 / flattening;
  const double geocentric = std::atan(std::tan(latitude * degree) / flattening);
  const double cosine = std::cos(geocentric);
  const double r_c = semi_minor / std::sqrt(1 - eccentricity2 * cosine * cosine);
  return {.from_axis = r_c * cosine, .from_equator = r_c * std::sin(geocentric)};
}

Geostationary::Meridian Geostationary::meridian(double longitude) const {
  const double turn = (longitude - longitude_of_origin) * degree;
  return {.cosine = std::cos(turn), .sine = std::sin(turn)};
}

ScanAngle Geostationary::scan_angle(const Parallel& parallel, const Meridian& meridian) const {
  const double H = height + semi_major;
  const double flattening = semi_major * semi_major / (semi_minor * semi_minor);
  const double s_x = H - parallel.from_axis * meridian.cosine;
  const double s_y = -parallel.from_axis * meridian.sine;
  const double s_z = parallel.from_equator;
  if (!(H * (H - s_x) >= s_y * s_y + flattening * s_z * s_z)) return {nan, nan};
  return {std::asin(-s_y / std::sqrt(s_x * s_x + s_y * s_y + s_z * s_z)), std::atan(s_z / s_x)};
}

std::string Geostationary::proj_string() const {
  return fmt::format("+proj=geos +lon_0={} +h={} +a={} +b={} +units=m +sweep=x +no_defs", longitude_of_origin, height,
                     semi_major, semi_minor);
}

std::array<double, 6> FixedGrid::transform() const {
  const double h = projection.height;
  return {h * (x.first - x.step / 2), h * x.step, 0, h * (y.first - y.step / 2), 0, h * y.step};
}

}  // namespace plume::data::geo
