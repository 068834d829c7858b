// The sun's zenith angle against pyorbital 1.13.0 (pyorbital.astronomy.sun_zenith_angle), which nobody here wrote.
#include "data/geo/sun.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace plume::tests {
namespace {

using namespace std::chrono;

struct Golden {
  sys_seconds time;
  double longitude = 0;
  double latitude = 0;
  double zenith = 0;
};

TEST(Sun, StandsWherePyorbitalSays) {
  const Golden cases[] = {
      {sys_days{2019y / October / 27} + 20h + 27s, -122.69, 38.71, 51.617698},
      {sys_days{2019y / December / 1} + 10h + 27min + 27s, -137.0, 0.0, 148.988169},
      {sys_days{2021y / September / 21} + 22h + 50min + 20s, -119.5, 36.5, 55.034517},
      {sys_days{2024y / February / 29} + 12h, 10.0, -45.0, 37.808370},
      {sys_days{2018y / June / 21}, -179.9, 66.0, 42.564209},
      {sys_days{2030y / December / 31} + 23h + 59min + 59s, 179.9, -80.0, 56.970107},
  };
  for (const Golden& golden : cases) {
    const data::geo::Sun sun(golden.time);
    const double cosine = sun.cosine_of_zenith({golden.longitude, golden.latitude});
    EXPECT_NEAR(std::acos(cosine) * 180 / std::numbers::pi, golden.zenith, 0.01);
  }
}

// At the equinox of 2021-09-22 19:21 UTC the sun stands over the equator.
TEST(Sun, StandsOverTheEquatorAtTheEquinox) {
  const data::geo::Sun sun(sys_days{2021y / September / 22} + 19h + 21min);
  EXPECT_NEAR(sun.cosine_of_zenith({0, 90}), 0, 1e-4);
  EXPECT_NEAR(sun.cosine_of_zenith({0, -90}), 0, 1e-4);
}

}  // namespace
}  // namespace plume::tests
