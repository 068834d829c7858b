// Scan angles and places: the PUG's worked example, there and back, and what cannot be seen.
#include "data/geo/geostationary.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace plume::tests {
namespace {

using data::geo::Geostationary;

// PUG volume 3, 5.1.2.8.1 and .2: GOES-16 at 75 degrees west.
TEST(Geostationary, AgreesWithTheGuidesExample) {
  const Geostationary goes;
  const auto place = goes.place({.x = -0.024052, .y = 0.095340});
  EXPECT_NEAR(place.latitude, 33.846162, 1e-6);
  EXPECT_NEAR(place.longitude, -84.690932, 1e-6);
  const auto angle = goes.scan_angle({.longitude = -84.690932, .latitude = 33.846162});
  EXPECT_NEAR(angle.x, -0.024052, 1e-8);
  EXPECT_NEAR(angle.y, 0.095340, 1e-8);
}

TEST(Geostationary, GoesThereAndBack) {
  const Geostationary goes{.longitude_of_origin = -137};
  int seen = 0;
  for (int row = -15; row <= 15; ++row) {
    for (int column = -15; column <= 15; ++column) {
      const double y = 0.01 * row;
      const double x = 0.01 * column;
      const auto place = goes.place({x, y});
      if (std::isnan(place.latitude)) continue;
      ++seen;
      EXPECT_GE(place.longitude, -180);
      EXPECT_LT(place.longitude, 180);
      const auto angle = goes.scan_angle(place);
      // Near the limb a small step on the ground is a still smaller one in angle; no precision is lost this way round.
      EXPECT_NEAR(angle.x, x, 1e-12);
      EXPECT_NEAR(angle.y, y, 1e-12);
    }
  }
  EXPECT_GT(seen, 600);
}

TEST(Geostationary, SpaceHasNoPlace) {
  const Geostationary goes;
  EXPECT_TRUE(std::isnan(goes.place({0.1519, 0}).longitude));
  EXPECT_FALSE(std::isnan(goes.place({0.1518, 0}).longitude));
  EXPECT_TRUE(std::isnan(goes.place({0.12, 0.12}).latitude));
}

TEST(Geostationary, WhatLiesBehindTheHorizonHasNoAngle) {
  const Geostationary goes;
  EXPECT_TRUE(std::isnan(goes.scan_angle({105, 0}).x));
  EXPECT_TRUE(std::isnan(goes.scan_angle({-75, 82}).y));
  EXPECT_FALSE(std::isnan(goes.scan_angle({-75, 81}).y));
}

// GDAL's origin of the Kincade scene's C07, as gdalinfo prints it.
TEST(Geostationary, TransformIsInMetres) {
  const data::geo::FixedGrid grid{.projection = {.longitude_of_origin = -137},
                                  .x = {.first = 0.024668, .step = 56e-6, .count = 500},
                                  .y = {.first = 0.115332, .step = -56e-6, .count = 500}};
  const auto transform = grid.transform();
  EXPECT_NEAR(transform[0], 881767.63, 0.1);
  EXPECT_NEAR(transform[3], 4128275.61, 0.1);
  EXPECT_NEAR(transform[1], 2004.017, 0.001);
  EXPECT_NEAR(transform[5], -2004.017, 0.001);
}

}  // namespace
}  // namespace plume::tests
