// Grids: the reference's tiles, the satellite's own projection, and any other around an image.
#include "data/geo/grid.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "../expect_error.hpp"
#include "../real_data.hpp"
#include "data/formats/raster_read.hpp"
#include "data/geo/projection.hpp"

namespace plume::tests {
namespace {

using data::geo::Coordinates;
using data::geo::FixedGrid;

// The Kincade scene's C07.
const FixedGrid kincade{.projection = {.longitude_of_origin = -137},
                        .x = {.first = 0.024668, .step = 56e-6, .count = 500},
                        .y = {.first = 0.115332, .step = -56e-6, .count = 500}};

const FixedGrid full_disk{.projection = {.longitude_of_origin = -137},
                          .x = {.first = -0.151844, .step = 224e-6, .count = 1356},
                          .y = {.first = 0.151844, .step = -224e-6, .count = 1356}};

TEST(Grid, WebTilesLieWhereTheReferencesDo) {
  const auto tiles = real_data() / "goes16_tiles" / "tiles";
  if (!std::filesystem::exists(tiles)) GTEST_SKIP() << "no real tiles at " << tiles << "; set PLUME_DATA";
  for (const auto& [x, y] : {std::pair{20, 48}, {18, 43}, {21, 50}}) {
    const auto tile = data::read_raster(tiles / fmt::format("OR_ABI-L1b-RadF-M6_G16_s20212642250204_{}_{}.tif", y, x));
    const auto grid = data::geo::grid_of(data::geo::WebTile{.zoom = 7, .x = x, .y = y});
    EXPECT_EQ(grid.height, tile.height);
    EXPECT_EQ(grid.width, tile.width);
    for (std::size_t i = 0; i < 6; ++i)
      EXPECT_NEAR(grid.georeference.transform[i], tile.georeference.transform[i], 1e-9) << i;
  }
}

TEST(Grid, WebTilesThatAreNotThereAreRefused) {
  using data::geo::WebTile;
  expect_error(
      ErrorKind::usage, [] { (void)data::geo::grid_of(WebTile{.zoom = 7, .x = 128, .y = 0}); }, "x = 128");
  expect_error(
      ErrorKind::usage, [] { (void)data::geo::grid_of(WebTile{.zoom = 40, .x = 0, .y = 0}); }, "zoom of 0 to 24");
}

TEST(Grid, OfAnImageIsItsOwnProjection) {
  const auto grid = data::geo::grid_of(kincade);
  EXPECT_EQ(grid.coordinates, Coordinates::scan_angles);
  EXPECT_EQ(grid.georeference.transform, kincade.transform());
  EXPECT_NE(grid.georeference.projection.find("Geostationary"), std::string::npos) << grid.georeference.projection;
}

TEST(Grid, OfAnImageMayBeCoarser) {
  const auto grid = data::geo::grid_of(kincade, 4000);
  EXPECT_EQ(grid.width, 251);  // 500 pixels of 2004 metres
  EXPECT_EQ(grid.georeference.transform[0], kincade.transform()[0]);
  EXPECT_EQ(grid.georeference.transform[1], 4000);
  EXPECT_EQ(grid.georeference.transform[5], -4000);
  expect_error(
      ErrorKind::usage, [] { (void)data::geo::grid_of(kincade, 1); }, "resolution of 1 would give", "more than");
}

// gdalwarp -t_srs EPSG:4326 (GDAL 3.6.2) makes 745 x 608 pixels of 0.0221892 degrees of the real file, at these corners.
TEST(Grid, AroundAnImageIsWhatGdalwarpChooses) {
  const auto grid = data::geo::grid_around(kincade, "EPSG:4326");
  EXPECT_EQ(grid.coordinates, Coordinates::geographic);
  const auto& t = grid.georeference.transform;
  EXPECT_NEAR(t[0], -127.4890962, t[1] / 2);
  EXPECT_NEAR(t[3], 43.9887596, t[1] / 2);
  EXPECT_NEAR(t[0] + grid.width * t[1], -110.9581377, t[1] / 2);
  EXPECT_NEAR(t[3] + grid.height * t[5], 30.4977224, t[1] / 2);
  EXPECT_NEAR(t[1], 0.022189205981392, 1e-5);
  EXPECT_EQ(t[5], -t[1]);
}

TEST(Grid, AroundADiskReachesAcrossTheDateLine) {
  const auto grid = data::geo::grid_around(full_disk, "EPSG:4326", 0.5);
  const auto& t = grid.georeference.transform;
  EXPECT_NEAR(t[0], -137 - 81.3, 1);
  EXPECT_NEAR(t[0] + grid.width * t[1], -137 + 81.3, 1);
  EXPECT_NEAR(t[3], 81.3, 1);
  EXPECT_NEAR(t[3] + grid.height * t[5], -81.3, 1);
}

TEST(Grid, AnyProjectionWillDo) {
  const auto grid = data::geo::grid_around(kincade, "EPSG:32610", 2000);
  EXPECT_EQ(grid.coordinates, Coordinates::projected);
  EXPECT_EQ(grid.georeference.transform[1], 2000);
  EXPECT_NE(grid.georeference.projection.find("UTM zone 10N"), std::string::npos);
}

TEST(Grid, WhatCannotBeIsRefused) {
  expect_error(
      ErrorKind::usage, [] { (void)data::geo::grid_around(kincade, "EPSG:99999"); }, "'EPSG:99999' is no projection");
  expect_error(
      ErrorKind::usage, [] { (void)data::geo::grid_around(kincade, "EPSG:4326", -1); }, "-1 is not positive");
  expect_error(
      ErrorKind::usage, [] { (void)data::geo::grid_around(kincade, "EPSG:4326", 1e-6); }, "resolution of 1e-06",
      "more than");
  FixedGrid space = kincade;
  space.x.first = 0.2;
  expect_input_error([&] { (void)data::geo::grid_around(space, "EPSG:4326"); }, "space alone");
}

TEST(Transformation, GoesThereAndBack) {
  std::vector<double> x{-122.69, -120};
  std::vector<double> y{38.71, 35};
  data::geo::from_geographic("EPSG:3857")(x, y);
  EXPECT_NEAR(x[0], -122.69 / 180 * 20037508.342789244, 1e-6);
  data::geo::to_geographic("EPSG:3857").value()(x, y);
  EXPECT_NEAR(x[1], -120, 1e-9);
  EXPECT_NEAR(y[0], 38.71, 1e-9);
}

TEST(Transformation, WhatHasNoCounterpartIsNaN) {
  std::vector<double> x{0, 1e9};
  std::vector<double> y{0, 1e9};
  data::geo::to_geographic("+proj=geos +lon_0=-137 +h=35786023 +sweep=x").value()(x, y);
  EXPECT_NEAR(x[0], -137, 1e-9);
  EXPECT_TRUE(std::isnan(x[1]));
}

TEST(Transformation, OfDegreesThereIsNone) {
  for (const char* degrees : {"", "EPSG:4326", "EPSG:4269"}) EXPECT_FALSE(data::geo::to_geographic(degrees)) << degrees;
  expect_input_error([] { (void)data::geo::to_geographic("EPSG:99999"); }, "a projection that GDAL does not know");
  expect_error(
      ErrorKind::usage, [] { (void)data::geo::from_geographic("EPSG:99999"); }, "'EPSG:99999' is no projection");
}

}  // namespace
}  // namespace plume::tests
