// Where the sun stands.
// Source: NOAA Global Monitoring Laboratory, "Solar Calculation Details", after Meeus, "Astronomical Algorithms".
#pragma once

#include <chrono>

#include "data/geo/geostationary.hpp"

namespace plume::data::geo {

// The sun at one moment (UTC). Good to 0.01 degrees between 1950 and 2050; refraction is left out.
class Sun {
 public:
  explicit Sun(std::chrono::sys_time<std::chrono::duration<double>> time);

  // Cosine of the angle between the sun and the vertical: 1 overhead, 0 at the horizon, negative at night.
  [[nodiscard]] double cosine_of_zenith(LonLat place) const;

 private:
  double sine_of_declination_;
  double cosine_of_declination_;
  double noon_longitude_;  // radians; where the sun is in the south or north
};

}  // namespace plume::data::geo
