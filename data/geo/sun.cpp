// Declination and equation of time, then spherical trigonometry.
#include "data/geo/sun.hpp"

#include <cmath>
#include <numbers>

namespace plume::data::geo {
namespace {

constexpr double degree = std::numbers::pi / 180;

}  // namespace

Sun::Sun(std::chrono::sys_time<std::chrono::duration<double>> time) {
  using namespace std::chrono;
  constexpr sys_days j2000{2000y / January / 1};  // noon of it
  const double days_since = duration<double, std::ratio<86400>>(time - j2000).count() - 0.5;
  const double t = days_since / 36525;  // Julian centuries
  const double mean_longitude = degree * (280.46646 + t * (36000.76983 + t * 0.0003032));
  const double mean_anomaly = degree * (357.52911 + t * (35999.05029 - t * 0.0001537));
  const double eccentricity = 0.016708634 - t * (0.000042037 + t * 0.0000001267);
  const double center =
      degree * (std::sin(mean_anomaly) * (1.914602 - t * (0.004817 + t * 0.000014)) +
                std::sin(2 * mean_anomaly) * (0.019993 - t * 0.000101) + std::sin(3 * mean_anomaly) * 0.000289);
  const double node = degree * (125.04 - 1934.136 * t);
  const double apparent_longitude = mean_longitude + center - degree * (0.00569 + 0.00478 * std::sin(node));
  const double mean_obliquity = degree * (23 + (26 + (21.448 - t * (46.815 + t * (0.00059 - t * 0.001813))) / 60) / 60);
  const double obliquity = mean_obliquity + degree * 0.00256 * std::cos(node);
  sine_of_declination_ = std::sin(obliquity) * std::sin(apparent_longitude);
  cosine_of_declination_ = std::sqrt(1 - sine_of_declination_ * sine_of_declination_);

  const double y = std::tan(obliquity / 2) * std::tan(obliquity / 2);
  const double equation_of_time =  // radians of hour angle
      y * std::sin(2 * mean_longitude) - 2 * eccentricity * std::sin(mean_anomaly) +
      4 * eccentricity * y * std::sin(mean_anomaly) * std::cos(2 * mean_longitude) -
      0.5 * y * y * std::sin(4 * mean_longitude) - 1.25 * eccentricity * eccentricity * std::sin(2 * mean_anomaly);
  const double day_fraction = days_since + 0.5 - std::floor(days_since + 0.5);
  noon_longitude_ = std::numbers::pi - 2 * std::numbers::pi * day_fraction - equation_of_time;
}

double Sun::cosine_of_zenith(LonLat place) const {
  const double latitude = place.latitude * degree;
  const double hour_angle = place.longitude * degree - noon_longitude_;
  return std::sin(latitude) * sine_of_declination_ + std::cos(latitude) * cosine_of_declination_ * std::cos(hour_angle);
}

}  // namespace plume::data::geo
